/** What providers do wrong, as small functions. Sources: the providers' own error bodies, and what proxies before them do. */
import type { Script } from '../../e2e/scripted.js';
import type { Asked, Fault } from './scenario.js';

const SSE = { 'content-type': 'text/event-stream' };

function error(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}): Fault {
  return () => ({
    status,
    headers,
    chunks: [JSON.stringify({ error: { message, type: 'error', param: null, code } })],
  });
}

export const well: Fault = ({ well }) => well;
export const rateLimited = error(429, 'rate_limit_exceeded', 'Slow down.');
export const rateLimitedFor = (seconds: number): Fault =>
  error(429, 'rate_limit_exceeded', 'Slow down.', { 'retry-after': String(seconds) });
export const serverError = error(500, 'server_error', 'The server had an error.');
export const unavailable = error(503, 'unavailable', 'No capacity.');
export const overloaded = error(529, 'overloaded_error', 'Overloaded.');
export const unauthorised = error(401, 'invalid_api_key', 'Incorrect API key provided.');
export const tooLong = error(400, 'context_length_exceeded', "This model's maximum context length is 8192 tokens.");
export const filtered = error(400, 'content_filter', 'The response was filtered by our content management policy.');
export const picky = error(400, 'unsupported_value', 'The parameter seed is not supported.');

export const serverErrorOnce: Fault = (asked) => (asked.times === 1 ? play(serverError, asked) : asked.well);
export const reset: Fault = () => ({ instead: 'reset' });
export const silent: Fault = () => ({ instead: 'hang' });

/** The role, then nothing. */
export const lateFirstToken: Fault = ({ well }) => ({ ...well, hold: 1 });
export const onlyHeaders: Fault = ({ well }) => ({ ...well, hold: 0 });
export const errorEvent: Fault = () => ({
  headers: SSE,
  chunks: ['data: {"error":{"message":"overloaded","type":"overloaded_error","code":503}}\n\n'],
});
export const errorInside: Fault = () => ({ chunks: ['{"error":{"message":"no capacity","type":"server_error"}}'] });
export const emptyStream: Fault = () => ({ headers: SSE });
export const onlyComments: Fault = () => ({ headers: SSE, chunks: [': ping\n\n', ': ping\n\n', ': ping\n\n'] });

/** Everything up to the second word, or half of the JSON body, and then `end`. */
function broken({ well, form }: Asked, end: NonNullable<Script['end']>): Script {
  return { ...well, chunks: form === 'stream' ? well.chunks.slice(0, 3) : halves(well.chunks).slice(0, 1), end };
}

/** Breaks when every client has content: what Envoy reads together with a reset may be lost. */
function brokenLater(end: NonNullable<Script['end']>): Fault {
  return (asked) => ({ ...broken(asked, end), hold: asked.form === 'stream' ? 3 : 1 });
}

export const cutByReset: Fault = brokenLater('reset');
export const cutByFin: Fault = brokenLater('fin');
export const garbage: Fault = brokenLater('garbage');
export const stalled: Fault = (asked) => ({ ...broken(asked, 'clean'), hold: 3 });
/** Content, then a clean end: neither `finish_reason` nor `[DONE]`. */
export const endless: Fault = (asked) => broken(asked, 'clean');
/** An event that is no JSON, between two that are. */
export const brokenEvent: Fault = ({ well }) => ({
  ...well,
  chunks: [...well.chunks.slice(0, 2), 'data: {"choices":[{"delta":{"content":"x\n\n', ...well.chunks.slice(2)],
});
/** All of it, only the last line is missing. */
export const withoutDone: Fault = ({ well }) => ({ ...well, chunks: well.chunks.slice(0, -1) });

function halves(chunks: readonly string[]): readonly string[] {
  const text = chunks.join('');
  return [text.slice(0, text.length / 2), text.slice(text.length / 2)];
}

/** Plays a fault that is a function. */
export function play(fault: Fault, asked: Asked): Script {
  return typeof fault === 'string' ? {} : fault(asked);
}
