import type { Wire } from '../src/dialects/endpoint.js';
import type { Framing } from '../src/dialects/event-decoder.js';
import type { JsonObject } from '../src/dialects/json-value.js';
import { eventFrame } from '../src/mock/bedrock/frames.js';

/** Requests and streams of any length in each dialect, for what grows with them. */

/** A turn: a question, a call with its result, an answer; about 600 bytes in every dialect. */
const WORDS = 'The quick brown fox jumps over the lazy dog. ';
const QUESTION = WORDS.repeat(4);

interface Said {
  readonly question: string;
  readonly answer: string;
  readonly result: string;
}

function said(times: number): Said {
  return { question: QUESTION.repeat(times), answer: QUESTION.repeat(times), result: WORDS.repeat(2 * times) };
}

/** More would have more keys than a request may have. */
const MOST_LONG_TURNS = 400;
const SCHEMA = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] };

interface Writer {
  /** The request with so many turns. */
  whole(turns: readonly JsonObject[], content: unknown): JsonObject;
  turn(at: number, said: Said): readonly JsonObject[];
  /** The last question, with an image of so many bytes of base64 if any. */
  last(image: string): unknown;
}

const WRITERS: ReadonlyMap<Wire, Writer> = new Map<Wire, Writer>([
  [
    'openai-chat',
    {
      whole: (turns, content) => ({
        model: 'p/m',
        stream: true,
        messages: [...turns, { role: 'user', content }],
        tools: [{ type: 'function', function: { name: 'read', parameters: SCHEMA } }],
      }),
      turn: (at, { question, answer, result }) => [
        { role: 'user', content: question },
        {
          role: 'assistant',
          content: answer,
          tool_calls: [
            { id: `call_${at}`, type: 'function', function: { name: 'read', arguments: `{"path":"${at}"}` } },
          ],
        },
        { role: 'tool', tool_call_id: `call_${at}`, content: result },
      ],
      last: (image) =>
        image === ''
          ? QUESTION
          : [
              { type: 'text', text: QUESTION },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
            ],
    },
  ],
  [
    'openai-responses',
    {
      whole: (turns, content) => ({
        model: 'p/m',
        stream: true,
        input: [...turns, { role: 'user', content }],
        tools: [{ type: 'function', name: 'read', parameters: SCHEMA, strict: false }],
      }),
      turn: (at, { question, answer, result }) => [
        { role: 'user', content: question },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: answer, annotations: [] }] },
        { type: 'function_call', call_id: `call_${at}`, name: 'read', arguments: `{"path":"${at}"}` },
        { type: 'function_call_output', call_id: `call_${at}`, output: result },
      ],
      last: (image) => [
        { type: 'input_text', text: QUESTION },
        ...(image === '' ? [] : [{ type: 'input_image', image_url: `data:image/png;base64,${image}` }]),
      ],
    },
  ],
  [
    'anthropic-messages',
    {
      whole: (turns, content) => ({
        model: 'p/m',
        stream: true,
        max_tokens: 1000,
        messages: [...turns, { role: 'user', content }],
        tools: [{ name: 'read', input_schema: SCHEMA }],
      }),
      turn: (at, { question, answer, result }) => [
        { role: 'user', content: question },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: answer },
            { type: 'tool_use', id: `call_${at}`, name: 'read', input: { path: String(at) } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: `call_${at}`, content: result }] },
      ],
      last: (image) => [
        { type: 'text', text: QUESTION },
        ...(image === '' ? [] : [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } }]),
      ],
    },
  ],
  [
    'gemini-generate',
    {
      whole: (turns, parts) => ({
        contents: [...turns, { role: 'user', parts }],
        tools: [{ functionDeclarations: [{ name: 'read', parametersJsonSchema: SCHEMA }] }],
      }),
      turn: (at, { question, answer, result }) => [
        { role: 'user', parts: [{ text: question }] },
        { role: 'model', parts: [{ text: answer }, { functionCall: { name: 'read', args: { path: String(at) } } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'read', response: { output: result } } }] },
      ],
      last: (image) => [
        { text: QUESTION },
        ...(image === '' ? [] : [{ inlineData: { mimeType: 'image/png', data: image } }]),
      ],
    },
  ],
]);

/**
 * The JSON of a request of about so many bytes. `turns`: as many short ones as it takes; `long-turns`: a few hundred at most,
 * whatever their length; `image`: one large image.
 */
export function requestOf(wire: Wire, bytes: number, kind: 'turns' | 'long-turns' | 'image' = 'turns'): Buffer {
  const writer = WRITERS.get(wire);
  if (writer === undefined) throw new Error(`no requests of ${wire}`);
  if (kind === 'image') {
    const image = `iVBORw0KGgo${'A'.repeat(Math.floor(bytes / 4) * 4 + 1)}`;
    return Buffer.from(JSON.stringify(writer.whole([], writer.last(image))));
  }
  const size = JSON.stringify(writer.turn(1, said(1))).length;
  const times = kind === 'turns' ? 1 : Math.max(1, Math.round(bytes / size / MOST_LONG_TURNS));
  const count = Math.max(1, Math.round(bytes / size / times));
  const turns = Array.from({ length: count }, (_, at) => writer.turn(at, said(times))).flat();
  return Buffer.from(JSON.stringify(writer.whole(turns, writer.last(''))));
}

/** One stream of a provider, event by event as the bytes come. */
export interface Stream {
  readonly framing: Framing;
  readonly events: readonly Buffer[];
}

const chunk = (choice: JsonObject): JsonObject => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: null, ...choice }],
});
const candidate = (text: string, more: JsonObject = {}): JsonObject => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, ...more }],
});
const data = (value: JsonObject): Buffer => Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
const named = (value: JsonObject): Buffer => Buffer.from(`event: ${value['type']}\ndata: ${JSON.stringify(value)}\n\n`);

interface StreamWriter {
  readonly framing: Framing;
  readonly first: readonly Buffer[];
  text(text: string): Buffer;
  readonly last: readonly Buffer[];
}

const STREAMS: ReadonlyMap<Wire, StreamWriter> = new Map<Wire, StreamWriter>([
  [
    'openai-chat',
    {
      framing: 'sse',
      first: [data(chunk({ delta: { role: 'assistant', content: '' } }))],
      text: (content) => data(chunk({ delta: { content } })),
      last: [
        data(chunk({ delta: {}, finish_reason: 'stop' })),
        data({ ...chunk({}), choices: [], usage: { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 } }),
        Buffer.from('data: [DONE]\n\n'),
      ],
    },
  ],
  [
    'anthropic-messages',
    {
      framing: 'sse',
      first: [
        named({
          type: 'message_start',
          message: {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'm',
            content: [],
            usage: { input_tokens: 5 },
          },
        }),
        named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      ],
      text: (text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
      last: [
        named({ type: 'content_block_stop', index: 0 }),
        named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } }),
        named({ type: 'message_stop' }),
      ],
    },
  ],
  [
    'gemini-generate',
    {
      framing: 'sse',
      first: [],
      text: (text) => data(candidate(text)),
      last: [
        data({
          ...candidate('', { finishReason: 'STOP' }),
          usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 9, totalTokenCount: 14 },
        }),
      ],
    },
  ],
  [
    'bedrock-converse',
    {
      framing: 'aws-event-stream',
      first: [eventFrame('messageStart', { role: 'assistant' })],
      text: (text) => eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }),
      last: [
        eventFrame('contentBlockStop', { contentBlockIndex: 0 }),
        eventFrame('messageStop', { stopReason: 'end_turn' }),
        eventFrame('metadata', { usage: { inputTokens: 5, outputTokens: 9, totalTokens: 14 }, metrics: {} }),
      ],
    },
  ],
]);

/** A stream with so many pieces of text, each of `size` bytes. */
export function streamOf(wire: Wire, pieces: number, size = 20): Stream {
  const writer = STREAMS.get(wire);
  if (writer === undefined) throw new Error(`no streams of ${wire}`);
  const text = writer.text(WORDS.repeat(Math.ceil(size / WORDS.length)).slice(0, size));
  const events = [...writer.first, ...Array.from({ length: pieces }, () => text), ...writer.last];
  return { framing: writer.framing, events };
}
