import t from 'tap';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { matchEndpoint } from '../../../src/dialects/endpoints.js';
import { GatewayError } from '../../../src/dialects/error.js';
import { framingOf } from '../../../src/dialects/event-decoder.js';
import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../../src/dialects/json-value.js';
import { createFold } from '../../../src/dialects/readers.js';
import { scanRequest } from '../../../src/dialects/request.js';
import { createClientFraming } from '../../../src/dialects/translate/client-framing.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import { findTranslation } from '../../../src/dialects/translate/registry.js';
import { TranslatingStream } from '../../../src/dialects/translate/translating-stream.js';
import type { PreparedCall } from '../../../src/dialects/translate/translation.js';
import { bedrockConverseRequest } from '../../schemas/bedrock-request.js';
import { geminiRequest } from '../../schemas/gemini-request.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { checkMessage, type ReadMessage, readMessage } from '../message-grammar.js';
import { allRecordings, NO_RECORDINGS, type Recording } from '../recordings.js';
import { CLAUDE_CODE_HEADERS, claudeCodeRequest, FIRST_TURN, TITLE_REQUEST, USER_ID } from './claude-code-requests.js';
import { contextFor, eventsIn } from './messages-goldens.js';

interface Served {
  readonly wire: Wire;
  readonly model: string;
  readonly check: (request: JsonObject) => void;
}

const SERVED: readonly Served[] = [
  {
    wire: 'openai-chat',
    model: 'gpt-5',
    check: (request) => assertValid('CreateChatCompletionRequest', request),
  },
  { wire: 'gemini-generate', model: 'gemini-3-pro-preview', check: (request) => assertRequest(geminiRequest, request) },
  {
    wire: 'bedrock-converse',
    model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    check: (request) => assertRequest(bedrockConverseRequest, request),
  },
];

interface Prepared {
  readonly call: PreparedCall;
  readonly body: JsonObject;
  readonly warnings: readonly string[];
}

function prepare({ wire, model }: Served, request: JsonObject): Prepared {
  const translation = findTranslation('anthropic-messages', wire);
  if (translation === null) throw new Error(`no way to ${wire}`);
  const losses = new Losses();
  const call = translation.prepare(request, contextFor({ model, stream: true, losses }));
  return { call, body: call.body, warnings: losses.dropped };
}

/** A recorded answer as Claude Code reads it. */
function answered(call: PreparedCall, { wire, bytes, contentType, streamed, features }: Recording): ReadMessage {
  // A stream in one array was kept as JSON.
  if (!streamed && !features.includes('json-array-stream')) {
    const message = call.answer(parseJson(bytes.toString()) as JsonObject);
    checkMessage(message);
    return { message, usageAtStart: {}, error: null };
  }
  const stream = new TranslatingStream({
    framing: framingOf(contentType, true) ?? 'sse',
    fold: createFold(wire),
    translator: call.stream(),
    client: createClientFraming('anthropic-messages', false),
  });
  return readMessage(eventsIn(Buffer.concat([stream.push(bytes), stream.end()])));
}

t.test('the request is accepted', async (t) => {
  const endpoint = matchEndpoint('POST', '/v1/messages?beta=true');
  t.equal(endpoint?.wire, 'anthropic-messages');
  if (endpoint === null) return;
  const body = Buffer.from(JSON.stringify(claudeCodeRequest()));
  const facts = scanRequest(endpoint, body, 'application/json');
  if (facts instanceof GatewayError) throw facts;
  t.match(facts, { model: 'claude-sonnet-4-6', stream: true, tools: true, maxOutputTokens: 32_000, user: USER_ID });
});

t.test('every provider is asked in its own dialect', async (t) => {
  for (const served of SERVED) {
    const first = prepare(served, claudeCodeRequest());
    t.doesNotThrow(() => served.check(first.body), served.wire);
    const sent = JSON.stringify(first.body);
    t.notMatch(sent, 'x-anthropic-billing-header', `${served.wire}: a line for Anthropic alone`);
    t.match(sent, "You are Claude Code, Anthropic's official CLI.", served.wire);
    const title = prepare(served, TITLE_REQUEST);
    t.doesNotThrow(() => served.check(title.body), `${served.wire}: a title`);
    t.match(JSON.stringify(title.body).replaceAll('\\', ''), '"title":{"type":"string"}', `${served.wire}: its schema`);
    // The thoughts to be kept are kept, and the effort is asked for: neither is a loss.
    for (const field of ['thinking', 'output_config.effort', 'context_management', 'eager_input_streaming'])
      t.notOk(
        first.warnings.some((name) => name.includes(field)),
        `${served.wire}: ${field}`,
      );
  }
  const [openai] = SERVED;
  if (openai === undefined) return;
  const { body, warnings } = prepare(openai, claudeCodeRequest());
  t.same(warnings, ['cache_control'], 'OpenAI caches by itself');
  t.match(body, { reasoning_effort: 'medium', stream: true, stream_options: { include_usage: true } });
  t.match(stringIn(body, 'user'), /^[0-9a-f]{64}$/, 'a user id that OpenAI takes');
  t.ok(listIn(body, 'tools').every((tool) => (stringIn(objectIn(tool, 'function'), 'name') ?? '').length <= 64));
  t.equal(CLAUDE_CODE_HEADERS['anthropic-version'], '2023-06-01');
});

t.test('every recorded answer can be read', { skip: NO_RECORDINGS }, async (t) => {
  for (const served of SERVED) {
    const recordings = allRecordings().filter(({ wire, status }) => wire === served.wire && status === 200);
    t.ok(recordings.length > 15, `${served.wire}: ${recordings.length} answers`);
    for (const recording of recordings) {
      t.doesNotThrow(() => answered(prepare(served, claudeCodeRequest()).call, recording), recording.id);
    }
  }
});

/** The turn that answers each call of a message. */
function results(message: JsonObject): JsonObject {
  const calls = listIn(message, 'content')
    .filter(isObject)
    .filter(({ type }) => type === 'tool_use');
  const content = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '3 tests fail.' }));
  return { role: 'user', content: [...content, { type: 'text', text: 'Go on.' }] };
}

/** Every text under one of these names, in order. */
function valuesOf(value: unknown, names: readonly string[]): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => valuesOf(each, names));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    names.includes(key) && typeof member === 'string' ? [member] : valuesOf(member, names),
  );
}

const SIGNATURES = ['thoughtSignature', 'thought_signature', 'signature'];

t.test('five turns with tools', { skip: NO_RECORDINGS }, async (t) => {
  for (const served of SERVED) {
    const calling = allRecordings().filter(
      ({ wire, status, features }) =>
        wire === served.wire &&
        status === 200 &&
        features.some((feature) => feature === 'tool-call' || feature === 'parallel-tool-calls') &&
        !features.includes('server-tools') &&
        !features.includes('finish-error'),
    );
    t.ok(calling.length > 2, `${served.wire}: ${calling.length} answers with calls`);
    let messages: readonly JsonObject[] = [FIRST_TURN];
    const signatures: unknown[] = [];
    const calls: JsonObject[] = [];
    for (const recording of calling.slice(0, 5)) {
      const { message, error } = answered(prepare(served, claudeCodeRequest(messages)).call, recording);
      t.equal(error, null, recording.id);
      const content = listIn(message, 'content').filter(isObject);
      const used = content.filter(({ type }) => type === 'tool_use');
      t.ok(used.length > 0, `${recording.id}: calls`);
      calls.push(...used);
      const text = recording.bytes.toString();
      if (served.wire === 'gemini-generate')
        signatures.push(
          ...[...text.matchAll(/"functionCall"[\s\S]*?"thoughtSignature": *"([^"]+)"/g)].map(([, found]) => found),
        );
      messages = [...messages, { role: 'assistant', content }, results(message)];
      const { body } = prepare(served, claudeCodeRequest(messages));
      t.doesNotThrow(() => served.check(body), `${recording.id}: the next turn is valid`);
    }
    const { body } = prepare(served, claudeCodeRequest(messages));
    const sent = JSON.stringify(body);
    for (const { input } of calls) {
      const values = isObject(input) ? Object.values(input).filter((value) => typeof value === 'string') : [];
      t.ok(
        values.every(
          (value) =>
            sent.includes(JSON.stringify(value).slice(1, -1).replaceAll('"', '\\"')) ||
            sent.includes(JSON.stringify(value)),
        ),
        `${served.wire}: arguments come back`,
      );
    }
    const back = valuesOf(body, SIGNATURES);
    for (const signature of signatures)
      t.ok(back.includes(signature), `${served.wire}: trap 28: the signature of a call comes back`);
    if (served.wire === 'gemini-generate') t.ok(signatures.length > 0, 'there are signatures to keep');
    const foreign = prepare(SERVED[0] ?? served, claudeCodeRequest(messages));
    t.doesNotThrow(
      () => assertValid('CreateChatCompletionRequest', foreign.body),
      `${served.wire}: the session may move`,
    );
    t.same(valuesOf(foreign.body, SIGNATURES), [], 'without what only one provider can read');
  }
});
