import type { Wire } from '../../dialects/endpoint.js';
import { type JsonObject, listIn, objectIn } from '../../dialects/json-value.js';
import type { Translation } from '../../dialects/translate/translation.js';
import { type Fate, modelsOf, prepared } from './probe-translation.js';
import { DIALECTS, PDF, PNG, SCHEMA, WAV } from './probes.js';

/** What people look for, by how each client's dialect asks for it; a dialect that cannot ask is absent. */
export interface Feature {
  readonly title: string;
  readonly asked: Readonly<Partial<Record<Wire, JsonObject>>>;
}

/** What became of a feature at each model that stands for the wire; null = the client's dialect cannot ask for it. */
export type FeatureFates = readonly Fate[] | null;

const LOOK = 'look';

function chat(...parts: readonly JsonObject[]): JsonObject {
  return { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }, ...parts] }] };
}

function responses(...parts: readonly JsonObject[]): JsonObject {
  return { input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hello' }, ...parts] }] };
}

function messages(...blocks: readonly JsonObject[]): JsonObject {
  return { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }, ...blocks] }] };
}

function gemini(...parts: readonly JsonObject[]): JsonObject {
  return { contents: [{ role: 'user', parts: [{ text: 'Hello' }, ...parts] }] };
}

const TOOLS: Readonly<Partial<Record<Wire, JsonObject>>> = {
  'openai-chat': { tools: [{ type: 'function', function: { name: LOOK, parameters: SCHEMA } }] },
  'openai-responses': { tools: [{ type: 'function', name: LOOK, parameters: SCHEMA, strict: false }] },
  'anthropic-messages': { tools: [{ name: LOOK, input_schema: SCHEMA }] },
  'gemini-generate': { tools: [{ functionDeclarations: [{ name: LOOK, parametersJsonSchema: SCHEMA }] }] },
};

const EPHEMERAL: JsonObject = { type: 'ephemeral' };

export const FEATURES: readonly Feature[] = [
  { title: 'tools', asked: TOOLS },
  {
    title: 'one call at a time',
    asked: {
      'openai-chat': { ...TOOLS['openai-chat'], parallel_tool_calls: false },
      'openai-responses': { ...TOOLS['openai-responses'], parallel_tool_calls: false },
      'anthropic-messages': {
        ...TOOLS['anthropic-messages'],
        tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      },
    },
  },
  {
    title: 'images',
    asked: {
      'openai-chat': chat({ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }),
      'openai-responses': responses({ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }),
      'anthropic-messages': messages({
        type: 'image',
        source: { type: 'base64', media_type: 'image/png', data: PNG },
      }),
      'gemini-generate': gemini({ inlineData: { mimeType: 'image/png', data: PNG } }),
    },
  },
  {
    title: 'images by address',
    asked: {
      'openai-chat': chat({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }),
      'openai-responses': responses({ type: 'input_image', image_url: 'https://example.com/a.png' }),
      'anthropic-messages': messages({ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }),
      'gemini-generate': gemini({ fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } }),
    },
  },
  {
    title: 'documents',
    asked: {
      'openai-chat': chat({
        type: 'file',
        file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` },
      }),
      'openai-responses': responses({
        type: 'input_file',
        filename: 'a.pdf',
        file_data: `data:application/pdf;base64,${PDF}`,
      }),
      'anthropic-messages': messages({
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: PDF },
      }),
      'gemini-generate': gemini({ inlineData: { mimeType: 'application/pdf', data: PDF } }),
    },
  },
  {
    title: 'audio as input',
    asked: {
      'openai-chat': chat({ type: 'input_audio', input_audio: { data: WAV, format: 'wav' } }),
      'gemini-generate': gemini({ inlineData: { mimeType: 'audio/wav', data: WAV } }),
    },
  },
  {
    title: 'JSON by a schema',
    asked: {
      'openai-chat': {
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA, strict: true } },
      },
      'openai-responses': { text: { format: { type: 'json_schema', name: 'a', schema: SCHEMA, strict: true } } },
      'anthropic-messages': { output_config: { format: { type: 'json_schema', schema: SCHEMA } } },
      'gemini-generate': { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: SCHEMA } },
    },
  },
  {
    title: 'how long to think',
    asked: {
      'openai-chat': { reasoning_effort: 'high' },
      'openai-responses': { reasoning: { effort: 'high' } },
      'anthropic-messages': { thinking: { type: 'enabled', budget_tokens: 2048 } },
      'gemini-generate': { generationConfig: { thinkingConfig: { thinkingBudget: 2048 } } },
    },
  },
  {
    title: 'cache breakpoints',
    asked: {
      'openai-chat': {
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello', cache_control: EPHEMERAL }] }],
      },
      'anthropic-messages': {
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello', cache_control: EPHEMERAL }] }],
      },
    },
  },
  {
    title: 'log probabilities',
    asked: {
      'openai-chat': { logprobs: true, top_logprobs: 2 },
      'openai-responses': { include: ['message.output_text.logprobs'], top_logprobs: 2 },
      'gemini-generate': { generationConfig: { responseLogprobs: true, logprobs: 2 } },
    },
  },
];

/** A feature's fate at every model of the provider's wire. */
export function featureFates(pair: Translation, feature: Feature): FeatureFates {
  const asked = feature.asked[pair.from];
  if (asked === undefined) return null;
  const base = DIALECTS.get(pair.from)?.base ?? {};
  return modelsOf(pair.to).map((model) => {
    const found = prepared(pair, { ...base, ...asked }, model);
    if ('refused' in found) return 'refused';
    return found.dropped.length > 0 ? 'dropped' : 'carried';
  });
}

const SIGNATURE = Buffer.from('a signature of thoughts').toString('base64');

/** An answer with a signed thought and a call, in each provider's dialect that signs thoughts. */
const SIGNED: ReadonlyMap<Wire, JsonObject> = new Map<Wire, JsonObject>([
  [
    'anthropic-messages',
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'I look.', signature: SIGNATURE },
        { type: 'tool_use', id: 'toolu_1', name: LOOK, input: {} },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  ],
  [
    'gemini-generate',
    {
      candidates: [
        {
          content: { role: 'model', parts: [{ functionCall: { name: LOOK, args: {} }, thoughtSignature: SIGNATURE }] },
          finishReason: 'STOP',
        },
      ],
    },
  ],
  [
    'bedrock-converse',
    {
      output: {
        message: {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'I look.', signature: SIGNATURE } } },
            { toolUse: { toolUseId: 'tooluse_1', name: LOOK, input: {} } },
          ],
        },
      },
      stopReason: 'tool_use',
      usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
    },
  ],
]);

/** How a client's next request holds an answer with a call, and the call's result. */
const NEXT_TURN: ReadonlyMap<Wire, (answer: JsonObject) => JsonObject> = new Map<
  Wire,
  (answer: JsonObject) => JsonObject
>([
  [
    'openai-chat',
    (answer) => {
      const message = objectIn(listIn(answer, 'choices')[0], 'message') ?? {};
      const id = objectIn({ call: listIn(message, 'tool_calls')[0] }, 'call')?.['id'];
      return {
        messages: [{ role: 'user', content: 'Hello' }, message, { role: 'tool', tool_call_id: id, content: 'A' }],
      };
    },
  ],
  [
    'openai-responses',
    (answer) => {
      const output = listIn(answer, 'output');
      const call = output.map((item) => objectIn({ item }, 'item')).find((item) => item?.['type'] === 'function_call');
      const result = { type: 'function_call_output', call_id: call?.['call_id'], output: 'A' };
      return { input: [{ role: 'user', content: 'Hello' }, ...output, result] };
    },
  ],
  [
    'anthropic-messages',
    (answer) => {
      const content = listIn(answer, 'content');
      const call = content.map((item) => objectIn({ item }, 'item')).find((item) => item?.['type'] === 'tool_use');
      const result = { type: 'tool_result', tool_use_id: call?.['id'], content: 'A' };
      const user = { role: 'user', content: 'Hello' };
      return { messages: [user, { role: 'assistant', content }, { role: 'user', content: [result] }] };
    },
  ],
  [
    'gemini-generate',
    (answer) => {
      const content = objectIn(listIn(answer, 'candidates')[0], 'content') ?? {};
      const calls = listIn(content, 'parts').map((part) => objectIn(part, 'functionCall'));
      const call = calls.find((each) => each !== null) ?? {};
      const result = {
        functionResponse: { ...(call['id'] ? { id: call['id'] } : {}), name: LOOK, response: { a: 'A' } },
      };
      return { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }, content, { role: 'user', parts: [result] }] };
    },
  ],
]);

const THINKING: Readonly<Partial<Record<Wire, JsonObject>>> = {
  'openai-responses': { include: ['reasoning.encrypted_content'], reasoning: { effort: 'high' } },
  'anthropic-messages': { thinking: { type: 'enabled', budget_tokens: 2048 } },
  'openai-chat': { reasoning_effort: 'high' },
};

/** Whether a thought's signature comes back to the provider in the next turn; null = the provider signs none. */
export function keepsSignatures(pair: Translation): boolean | null {
  const answer = SIGNED.get(pair.to);
  const next = NEXT_TURN.get(pair.from);
  const [model = ''] = modelsOf(pair.to);
  if (answer === undefined || next === undefined) return null;
  const base = { ...DIALECTS.get(pair.from)?.base, ...TOOLS[pair.from], ...THINKING[pair.from] };
  const first = prepared(pair, base, model);
  if ('refused' in first) throw new Error(`${pair.from} to ${pair.to}: a request with a tool is refused`);
  const second = prepared(pair, { ...base, ...next(first.call.answer(answer)) }, model);
  return !('refused' in second) && JSON.stringify(second.call.body).includes(SIGNATURE);
}
