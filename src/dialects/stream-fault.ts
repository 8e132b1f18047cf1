import type { StreamFault } from './event-decoder.js';
import { isObject, type JsonObject, parseJson, stringIn } from './json-value.js';

const MAX_MESSAGE = 300;
const MAX_CODE = 128;

/**
 * What an error inside a stream says: `{"error":{"message","code","type"}}` (OpenAI, Groq), `{"type":"error","error":{"type",
 * "message"}}` (Anthropic), `{"message"}` (AWS), `{"code","error":"text"}` (xAI), or plain text.
 */
export function readFault(text: string): StreamFault {
  const value = parseJson(text);
  if (isObject(value)) return faultOf(value);
  return { message: (typeof value === 'string' ? value : text).trim().slice(0, MAX_MESSAGE), code: null };
}

export function faultOf(value: JsonObject): StreamFault {
  const inner = value['error'];
  const outer = codeOf(value['code']) ?? typeOf(value);
  if (typeof inner === 'string') return { message: inner.slice(0, MAX_MESSAGE), code: outer };
  const said = isObject(inner) ? inner : value;
  // AWS' services disagree on the first letter.
  const message = stringIn(said, 'message') ?? stringIn(said, 'Message') ?? '';
  return { message: message.slice(0, MAX_MESSAGE), code: codeOf(said['code']) ?? typeOf(said) ?? outer };
}

/** `type` tells the kind of an error, but for the event's own `error`. */
function typeOf(value: JsonObject): string | null {
  const type = stringIn(value, 'type');
  return type === null || type === 'error' || type === '' ? null : type.slice(0, MAX_CODE);
}

function codeOf(code: unknown): string | null {
  if (typeof code === 'number') return String(code);
  return typeof code === 'string' && code !== '' ? code.slice(0, MAX_CODE) : null;
}

/** Google wraps some errors in a list of one. */
export function unwrapped(value: unknown): unknown {
  return Array.isArray(value) && isObject(value[0]) && value[0]['error'] !== undefined ? value[0] : value;
}
