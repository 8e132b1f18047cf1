import fc from 'fast-check';
import t from 'tap';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { GatewayError } from '../../../src/dialects/error.js';
import { isObject, type JsonObject, parseJson } from '../../../src/dialects/json-value.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import { allTranslations, findTranslation } from '../../../src/dialects/translate/registry.js';
import { anthropicRequest } from '../../schemas/anthropic-request.js';
import { bedrockConverseRequest } from '../../schemas/bedrock-request.js';
import { geminiRequest } from '../../schemas/gemini-request.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { asChat, asMessages, asResponses } from './conversation-writers.js';
import { type Conversation, conversation$ } from './random-conversations.js';
import { contextFor } from './responses-goldens.js';

interface Client {
  readonly write: (conversation: Conversation) => JsonObject;
  /** Throws unless its own API would take the request: the generator must not ask for the impossible. */
  readonly check: (request: JsonObject) => void;
}

const CLIENTS: Readonly<Partial<Record<Wire, Client>>> = {
  'openai-chat': { write: asChat, check: (request) => assertValid('CreateChatCompletionRequest', request) },
  'openai-responses': { write: asResponses, check: (request) => assertValid('CreateResponse', request) },
  'anthropic-messages': { write: asMessages, check: (request) => assertRequest(anthropicRequest, request) },
};

const PROVIDERS: Readonly<
  Partial<Record<Wire, { readonly models: readonly string[]; readonly check: (request: JsonObject) => void }>>
> = {
  'openai-chat': {
    models: ['gpt-5', 'llama-3.3-70b'],
    check: (request) => assertValid('CreateChatCompletionRequest', request),
  },
  'anthropic-messages': {
    models: ['claude-sonnet-4-5', 'claude-opus-4-7', 'claude-opus-4-8', 'claude-3-5-haiku-20241022'],
    check: (request) => assertRequest(anthropicRequest, request),
  },
  'gemini-generate': {
    models: ['gemini-2.5-flash', 'gemini-3-pro'],
    check: (request) => assertRequest(geminiRequest, request),
  },
  'bedrock-converse': {
    models: ['eu.anthropic.claude-sonnet-4-5-20250929-v1:0', 'amazon.nova-pro-v1:0', 'meta.llama3-3-70b-instruct-v1:0'],
    check: (request) => assertRequest(bedrockConverseRequest, request),
  },
};

/** What everybody said and every call must be in the provider's request, whatever its form. */
function lost(conversation: Conversation, body: JsonObject): readonly string[] {
  const strings = new Set<string>();
  collect(body, strings);
  const all = [...strings].join('\u0000');
  const said = [
    ...conversation.turns.flatMap(({ user, text, calls }) => [
      ...user,
      { text },
      ...calls.map(({ output }) => ({ text: output })),
    ]),
    ...conversation.last,
    ...(conversation.system === null ? [] : [{ text: conversation.system }]),
  ].flatMap((part) => ('text' in part ? [part.text.trim()] : 'png' in part ? [part.png] : []));
  // What is JSON may come as the value itself.
  return said.filter((text) => text !== '' && !isObject(parseJson(text)) && !all.includes(text));
}

/** All texts, also those inside JSON texts, which arguments are in some dialects. */
function collect(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') into.add(value);
  else if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) collect(member, into);
}

for (const translation of allTranslations()) {
  const client = CLIENTS[translation.from];
  const provider = PROVIDERS[translation.to];
  if (client === undefined || provider === undefined) continue;
  t.test(`case 110: ${translation.from} to ${translation.to}`, async (t) => {
    let taken = 0;
    fc.assert(
      fc.property(conversation$, fc.constantFrom(...provider.models), (conversation, model) => {
        const request = client.write(conversation);
        client.check(request);
        const context = contextFor({ model, stream: conversation.settings.stream, losses: new Losses() });
        try {
          const { body } = translation.prepare(request, context);
          provider.check(body);
          const missing = lost(conversation, body);
          if (missing.length > 0) throw new Error(`lost: ${JSON.stringify(missing)} in ${JSON.stringify(body)}`);
          taken += 1;
        } catch (error) {
          if (!(error instanceof GatewayError) || error.code !== 'unsupported_parameter') throw error;
        }
      }),
      { numRuns: 150 },
    );
    t.ok(taken > 30, `${taken} of 150 requests could be sent`);
  });
}

function prepared(
  to: Wire,
  model: string,
  request: JsonObject,
): { readonly body: JsonObject; readonly losses: Losses } {
  const losses = new Losses();
  const translation = findTranslation('openai-chat', to);
  if (translation === null) throw new Error(`There is no way to ${to}.`);
  const { body } = translation.prepare({ model: 'm', ...request }, contextFor({ model, losses }));
  return { body, losses };
}

const HELLO = { role: 'user', content: 'Hello' };
const TOOLS = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];

t.test('what random requests once found', async (t) => {
  const nothing = { messages: [{ role: 'user', content: '' }] };
  t.throws(() => prepared('gemini-generate', 'gemini-3-pro', nothing), {
    code: 'unsupported_parameter',
    param: 'messages',
  });
  const digit = { messages: [HELLO], tools: [{ type: 'function', function: { name: '3d' } }] };
  const name = { code: 'unsupported_parameter', param: 'tools[].function.name' };
  t.throws(() => prepared('gemini-generate', 'gemini-3-pro', digit), name);
  const forced = { messages: [HELLO], tools: TOOLS, tool_choice: 'required', reasoning_effort: 'low' };
  const older = prepared('anthropic-messages', 'claude-opus-4-7', forced);
  t.notOk('thinking' in older.body, 'no thinking beside a tool that must be called');
  t.match(older.losses.dropped, ['thinking']);
  t.match(prepared('anthropic-messages', 'claude-opus-4-8', forced).body['thinking'], { type: 'adaptive' });
});
