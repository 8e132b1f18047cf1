import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import type { z } from 'zod';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { isObject, type JsonObject } from '../../../src/dialects/json-value.js';
import { anthropicRequest } from '../../schemas/anthropic-request.js';
import { bedrockConverseRequest } from '../../schemas/bedrock-request.js';
import { geminiRequest } from '../../schemas/gemini-request.js';
import { assertValid, problemsOf } from '../../schemas/openai-schema.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { allRecordings, NO_RECORDINGS } from '../recordings.js';

const SCHEMAS: Readonly<Partial<Record<Wire, z.ZodType>>> = {
  'anthropic-messages': anthropicRequest,
  'gemini-generate': geminiRequest,
  'bedrock-converse': bedrockConverseRequest,
};

/** Members of Google's requests that hold what the app wrote. */
const APPS_OWN =
  /^(args|response|parameters|parametersJsonSchema|responseSchema|responseJsonSchema|toolCall|toolResponse)$/;

/** By the second half of the pair's name. */
const GOLDEN_CHECKS: Readonly<Record<string, (request: JsonObject) => void>> = {
  chat: (request) => assertValid('CreateChatCompletionRequest', request),
  anthropic: (request) => assertRequest(anthropicRequest, request),
  gemini: (request) => assertRequest(geminiRequest, request),
  bedrock: (request) => assertRequest(bedrockConverseRequest, request),
};

t.test('every recorded request that was answered passes', { skip: NO_RECORDINGS }, async (t) => {
  const seen = new Set<Wire>();
  for (const { id, endpoint, wire, status, request } of allRecordings()) {
    const schema = SCHEMAS[wire];
    // Other models have their own dialects behind Bedrock's invoke.
    if (schema === undefined || status !== 200 || !isObject(request) || endpoint.startsWith('bedrock.invoke')) continue;
    seen.add(wire);
    t.doesNotThrow(() => assertRequest(schema, wire === 'gemini-generate' ? inCamelCase(request) : request), id);
  }
  t.same([...seen].sort(), Object.keys(SCHEMAS).sort(), 'of all dialects');
});

t.test("OpenAI's recorded requests pass", { skip: NO_RECORDINGS }, async (t) => {
  const recorded = allRecordings().filter(({ provider, status }) => provider === 'openai' && status === 200);
  for (const { id, wire, request } of recorded) {
    if (request === null) continue;
    if (wire === 'openai-chat') t.same(problemsOf('CreateChatCompletionRequest', request), [], id);
    // Two older ones leave out `strict`, which its description demands since.
    if (wire !== 'openai-responses' || JSON.stringify(request).includes('"parameters"')) continue;
    t.same(problemsOf('CreateResponse', request), [], id);
  }
});

const PIXEL = 'iVBORw0KGgo=';
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} };
const RESULT = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'seen' };
const TOOL = { name: 'look', input_schema: { type: 'object', properties: {} } };

const ANTHROPIC = {
  model: 'claude-sonnet-4-5',
  max_tokens: 2048,
  system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
  messages: [
    { role: 'user', content: 'Look.' },
    { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }, CALL] },
    { role: 'user', content: [RESULT, { type: 'text', text: 'And?' }] },
  ],
  tools: [TOOL],
  tool_choice: { type: 'auto' },
};

const BEDROCK = {
  system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default' } }],
  messages: [
    { role: 'user', content: [{ text: 'Look.' }, { image: { format: 'png', source: { bytes: PIXEL } } }] },
    { role: 'assistant', content: [{ toolUse: { toolUseId: 'tooluse_1', name: 'look', input: {} } }] },
    { role: 'user', content: [{ toolResult: { toolUseId: 'tooluse_1', content: [{ text: 'seen' }] } }] },
  ],
  toolConfig: { tools: [{ toolSpec: { name: 'look', inputSchema: { json: { type: 'object' } } } }] },
  inferenceConfig: { maxTokens: 2048, temperature: 0.5 },
};

const GEMINI = {
  systemInstruction: { parts: [{ text: 'Be brief.' }] },
  contents: [
    { role: 'user', parts: [{ text: 'Look.' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] },
    { role: 'model', parts: [{ functionCall: { name: 'look', args: {} }, thoughtSignature: 'c2ln' }] },
    { role: 'user', parts: [{ functionResponse: { name: 'look', response: { output: 'seen' } } }] },
  ],
  tools: [{ functionDeclarations: [{ name: 'look', parametersJsonSchema: { type: 'object' } }] }],
  toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['look'] } },
  generationConfig: { maxOutputTokens: 2048, responseMimeType: 'application/json', responseJsonSchema: {} },
};

/** Changes by path; each makes one request that the provider answers with a 400. */
const FAULTS: Readonly<
  Record<string, readonly [base: JsonObject, schema: z.ZodType, ...changes: [string, unknown][]]>
> = {
  anthropic: [
    ANTHROPIC,
    anthropicRequest,
    ['max_tokens', undefined],
    ['frequency_penalty', 1],
    ['temperature', 1.2],
    ['messages', []],
    ['messages.0', { role: 'system', content: 'Be brief.' }],
    ['messages.0.content', ''],
    ['messages.0', { role: 'assistant', content: 'Yes.' }],
    ['messages.1.content.1.id', 'a b'],
    ['messages.1.content.1.input', '{}'],
    ['messages.1.content.1.index', 0],
    ['messages.1.content.0.signature', undefined],
    ['messages.2.content', 'And?'],
    ['messages.2.content.0.tool_use_id', 'toolu_2'],
    ['messages.2.content', [{ type: 'text', text: 'And?' }, RESULT]],
    ['messages.2.content', [RESULT, RESULT]],
    ['tools', undefined],
    ['tools.0.input_schema', { properties: {} }],
    ['tools.0.name', 'a.b'],
    ['tools', [TOOL, TOOL]],
    ['tool_choice', { type: 'tool', name: 'listen' }],
    ['thinking', { type: 'enabled', budget_tokens: 2048 }],
    ['thinking', { type: 'enabled', budget_tokens: 512 }],
    ['system', Array.from({ length: 5 }, () => ANTHROPIC.system[0])],
    ['messages.0.content', [{ type: 'image', source: { type: 'base64', media_type: 'image/bmp', data: PIXEL } }]],
    [
      'messages.0.content',
      [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'not base64' } }],
    ],
  ],
  bedrock: [
    BEDROCK,
    bedrockConverseRequest,
    ['model', 'x'],
    ['inferenceConfig.temperature', 1.5],
    ['messages.1.role', 'user'],
    ['messages.0.content.0', { text: ' ' }],
    ['messages.0.content.1.image.source', { url: 'https://example.com/a.png' }],
    ['messages.0.content.0', { text: 'Look.', cachePoint: { type: 'default' } }],
    ['messages.1.content.0.toolUse.input', []],
    ['messages.1.content.0.toolUse.name', 'a.b'],
    ['messages.2.content.0.toolResult.toolUseId', 'tooluse_2'],
    ['messages.2.content', [{ text: 'And?' }]],
    ['toolConfig', undefined],
    ['toolConfig.toolChoice', { none: {} }],
    ['toolConfig.toolChoice', { tool: { name: 'listen' } }],
    ['system', [{ cachePoint: { type: 'default' } }]],
    ['messages.0.content', [{ document: { format: 'pdf', name: 'a', source: { bytes: PIXEL } } }]],
    ['messages.0.content.1', { document: { format: 'pdf', name: 'a.pdf', source: { bytes: PIXEL } } }],
    ['additionalModelRequestFields', { thinking: { type: 'enabled', budget_tokens: 1024 } }],
  ],
  gemini: [
    GEMINI,
    geminiRequest,
    ['contents', []],
    ['model', 'x'],
    ['contents.0.parts', []],
    ['contents.0.role', 'assistant'],
    ['contents.0.parts.0', { text: 'Look.', inlineData: { mimeType: 'image/png', data: PIXEL } }],
    ['contents.1.parts.0.functionCall.arguments', '{}'],
    ['contents.2.parts.0.functionResponse.name', 'listen'],
    ['contents.2.parts', [{ text: 'And?' }]],
    ['contents.1', { role: 'model', parts: [{ text: 'I see.' }] }],
    ['tools.0.functionDeclarations.0.parameters', { type: 'object' }],
    ['tools', [{ functionDeclarations: [{ name: 'look', parameters: { additionalProperties: false } }] }]],
    ['toolConfig.functionCallingConfig.mode', 'AUTO'],
    ['toolConfig.functionCallingConfig.allowedFunctionNames', ['listen']],
    ['generationConfig.max_tokens', 1],
    ['generationConfig.responseMimeType', undefined],
    ['generationConfig.thinkingConfig', { thinkingBudget: 0, thinkingLevel: 'LOW' }],
    ['generationConfig.stopSequences', ['a', 'b', 'c', 'd', 'e', 'f']],
  ],
};

for (const [name, [base, schema, ...changes]] of Object.entries(FAULTS)) {
  t.test(`what ${name} refuses does not pass`, async (t) => {
    t.doesNotThrow(() => assertRequest(schema, base), 'the request as it should be');
    for (const [path, value] of changes) {
      const changed = changedAt(base, path.split('.'), value);
      t.throws(() => assertRequest(schema, changed), `${path}: ${JSON.stringify(value)}`);
    }
  });
}

t.test("what OpenAI's clients would not read does not pass", async (t) => {
  const event = { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0 };
  const delta = { ...event, delta: 'Hi', logprobs: [], sequence_number: 3 };
  t.doesNotThrow(() => assertValid('ResponseStreamEvent', delta));
  t.throws(() => assertValid('ResponseStreamEvent', { ...delta, item_id: undefined }), /item_id/);
  t.throws(() => assertValid('ResponseStreamEvent', { ...delta, index: 0 }), /index/);
  t.throws(() => assertValid('ResponseStreamEvent', { ...delta, type: 'response.text.delta' }), /type/);
  t.throws(() => assertValid('Response', { id: 'resp_1', object: 'response' }), /required/);
  const request = { model: 'gpt-5', messages: [{ role: 'user', content: 'Hi' }] };
  t.doesNotThrow(() => assertValid('CreateChatCompletionRequest', request));
  t.throws(() => assertValid('CreateChatCompletionRequest', { ...request, top_k: 3 }), /top_k/);
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [] };
  t.doesNotThrow(() => assertValid('CreateChatCompletionStreamResponse', { ...chunk, system_fingerprint: null }));
  t.throws(() => assertValid('CreateChatCompletionStreamResponse', { ...chunk, created: null }), /created/);
});

const GOLDENS = 'test/golden/translate';

interface Golden {
  readonly context?: JsonObject;
  readonly expected?: unknown;
}

t.test('every golden request is valid for its provider', async (t) => {
  for (const pair of existsSync(GOLDENS) ? readdirSync(GOLDENS) : []) {
    const to = /^(?:embeddings|images|rerank)-/.test(pair) ? '' : (pair.split('-to-')[1] ?? '');
    for (const file of readdirSync(`${GOLDENS}/${pair}`).filter((name) => name.endsWith('.json'))) {
      const golden = JSON.parse(readFileSync(`${GOLDENS}/${pair}/${file}`, 'utf8')) as Golden;
      const { expected, context = {} } = golden;
      const assert = GOLDEN_CHECKS[to];
      // What another translation reads, or a vendor with members of its own, is more than chat.
      if (assert === undefined || context['extended'] === true || context['echoesReasoning'] === true) continue;
      if (isObject(expected) && !('error' in expected)) t.doesNotThrow(() => assert(expected), `${pair}/${file}`);
    }
  }
});

function changedAt(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((each, index) => (String(index) === key ? changedAt(each, rest, to) : each));
  const object = isObject(value) ? value : {};
  return { ...object, [key]: changedAt(object[key], rest, to) };
}

/** Google's servers read both spellings. */
function inCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inCamelCase);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, member]) => {
    const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return [name, APPS_OWN.test(name) ? member : inCamelCase(member)];
  });
  return Object.fromEntries(members);
}
