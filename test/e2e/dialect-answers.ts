import { encodeFrame } from '../../src/codec/aws-event-stream.js';
import type { Script } from './scripted.js';

/** Answers of scripted providers in their own dialects: one event per chunk, so that a test can cut between any two. */

export type StreamScript = Script & { readonly chunks: readonly (string | Buffer)[] };

/** What every answer here says it used. */
export const INPUT = 7;

const SSE = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

export function anthropicEvent(type: string, more: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

export function anthropicStart(model = 'claude-served'): string {
  const usage = { input_tokens: INPUT, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], usage };
  return anthropicEvent('message_start', { message: { ...message, stop_reason: null, stop_sequence: null } });
}

/** Events: start, block start, the words, block stop, delta with usage, stop. */
export function anthropicStream(words: readonly string[]): StreamScript {
  const chunks = [
    anthropicStart(),
    anthropicEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...words.map((text) => anthropicEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    anthropicEvent('content_block_stop', { index: 0 }),
    anthropicEvent('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: words.length } }),
    anthropicEvent('message_stop', {}),
  ];
  return { headers: SSE, chunks };
}

/** A stream that says `overloaded_error` before a word. */
export function anthropicOverloaded(): StreamScript {
  const error = { type: 'overloaded_error', message: 'Overloaded' };
  return { headers: SSE, chunks: [anthropicStart(), anthropicEvent('ping', {}), anthropicEvent('error', { error })] };
}

export function anthropicWhole(text: string): StreamScript {
  const body = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-served',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: INPUT, output_tokens: 3 },
  };
  return { headers: { ...JSON_TYPE, 'request-id': 'req_anthropic' }, chunks: [JSON.stringify(body)] };
}

function geminiBody(text: string, more: { readonly last: boolean; readonly output: number }): object {
  const candidate = { content: { role: 'model', parts: [{ text }] }, index: 0 };
  return {
    candidates: [more.last ? { ...candidate, finishReason: 'STOP' } : candidate],
    usageMetadata: {
      promptTokenCount: INPUT,
      candidatesTokenCount: more.output,
      totalTokenCount: INPUT + more.output,
    },
    modelVersion: 'gemini-served',
    responseId: 'resp-1',
  };
}

/** A word per event, usage growing with each, as Google states it; the last word carries the finish reason. */
export function geminiStream(words: readonly string[]): StreamScript {
  const chunks = words.map((word, at) => {
    const body = geminiBody(word, { last: at === words.length - 1, output: at + 1 });
    return `data: ${JSON.stringify(body)}\r\n\r\n`;
  });
  return { headers: SSE, chunks };
}

export function geminiWhole(text: string): StreamScript {
  return { headers: JSON_TYPE, chunks: [JSON.stringify(geminiBody(text, { last: true, output: 3 }))] };
}

/** A 429 of Google's, whose delay stands in the body only. */
export function geminiLimited(seconds: number): StreamScript {
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` };
  const error = { code: 429, message: 'Resource has been exhausted.', status: 'RESOURCE_EXHAUSTED', details: [retry] };
  return { status: 429, headers: JSON_TYPE, chunks: [JSON.stringify({ error })] };
}

const FRAMES = { 'content-type': 'application/vnd.amazon.eventstream' };

function awsFrame(named: Readonly<Record<string, string>>, payload: object): Buffer {
  const headers = Object.entries(named).map(([name, value]) => [name, { type: 'string', value }] as const);
  return encodeFrame(new Map(headers), Buffer.from(JSON.stringify(payload)));
}

export function bedrockEvent(type: string, payload: object): Buffer {
  return awsFrame({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, payload);
}

export function bedrockException(type: string, message: string): Buffer {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return awsFrame(headers, { message });
}

/** Frames: start, the words, block stop, message stop, metadata with usage. */
export function bedrockStream(words: readonly string[]): StreamScript {
  const usage = { inputTokens: INPUT, outputTokens: words.length, totalTokens: INPUT + words.length };
  const chunks = [
    bedrockEvent('messageStart', { role: 'assistant' }),
    ...words.map((text) => bedrockEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })),
    bedrockEvent('contentBlockStop', { contentBlockIndex: 0 }),
    bedrockEvent('messageStop', { stopReason: 'end_turn' }),
    bedrockEvent('metadata', { usage, metrics: { latencyMs: 1 } }),
  ];
  return { headers: FRAMES, chunks };
}

export function bedrockWhole(text: string): StreamScript {
  const body = {
    output: { message: { role: 'assistant', content: [{ text }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: INPUT, outputTokens: 3, totalTokens: INPUT + 3 },
    metrics: { latencyMs: 1 },
  };
  return { headers: { ...JSON_TYPE, 'x-amzn-requestid': 'amzn-1' }, chunks: [JSON.stringify(body)] };
}
