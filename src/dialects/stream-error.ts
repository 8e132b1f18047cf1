import { encodeFrame, type FrameHeader } from '../codec/aws-event-stream.js';
import type { Wire } from './endpoint.js';
import { anthropicErrorType, googleErrorStatus } from './error.js';
import type { JsonObject } from './json-value.js';

/** Wires whose streams have an end of their own, so that a missing one is an error. */
const TERMINATED: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'anthropic-messages',
  'gemini-generate',
  'bedrock-converse',
]);

/** True when a stream of this wire must say that it has ended. */
export function hasTerminal(wire: Wire): boolean {
  return TERMINATED.has(wire);
}

export interface ErrorInStream {
  /** For people, safe to show. */
  readonly message: string;
  /** A code of design 1.6. */
  readonly code: string;
  /** HTTP status that fits. */
  readonly status: number;
}

export interface ErrorEvent {
  /** The `event:` line of dialects that have one, else ''. */
  readonly type: string;
  readonly data: JsonObject;
}

/** An error as the event that the wire's clients know. */
export function errorEvent(wire: Wire, { message, code, status }: ErrorInStream): ErrorEvent {
  if (wire === 'openai-responses')
    return { type: 'error', data: { type: 'error', code, message, param: null, sequence_number: 0 } };
  if (wire === 'anthropic-messages')
    return { type: 'error', data: { type: 'error', error: { type: anthropicErrorType(status), message } } };
  if (wire === 'gemini-generate')
    return { type: '', data: { error: { code: status, message, status: googleErrorStatus(status) } } };
  const type = status === 429 ? 'rate_limit_error' : 'api_error';
  return { type: '', data: { error: { message, type, param: null, code } } };
}

/**
 * An error as bytes in the middle of a stream that passes through, never followed by `[DONE]`. It begins with a blank line,
 * which ends an event that was cut. AWS gets a frame of its own: after a frame that was cut its reader fails anyway.
 */
export function streamError(wire: Wire, message: string): Buffer {
  if (wire === 'bedrock-converse') return exceptionFrame(message);
  const { type, data } = errorEvent(wire, { message, code: 'provider_error', status: 502 });
  // Google's clients know an event by its first line, which must be `data:`; its own streams end lines by CRLF.
  const line = wire === 'gemini-generate' ? '\r\n' : '\n';
  const name = type === '' ? '' : `event: ${type}${line}`;
  return Buffer.from(`${line}${line}${name}data: ${JSON.stringify(data)}${line}${line}`);
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html */
function exceptionFrame(message: string): Buffer {
  const headers: readonly (readonly [string, string])[] = [
    [':exception-type', 'modelStreamErrorException'],
    [':content-type', 'application/json'],
    [':message-type', 'exception'],
  ];
  const named = headers.map(([name, value]): [string, FrameHeader] => [name, { type: 'string', value }]);
  return encodeFrame(new Map(named), Buffer.from(JSON.stringify({ message })));
}
