import { isObject, type JsonObject, objectIn, parseJson, stringIn } from '../../json-value.js';
import { EXTRA_CONTENT } from '../hub.js';
import { type Scope, VERSION_WITH_JSON_SCHEMA } from './scope.js';

/**
 * Google's own stand-in for a signature that is not known, because the call was made by another model or the client lost it.
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export const NO_SIGNATURE = 'skip_thought_signature_validator';

/** A call of an assistant message: `function` with `name` and `arguments`. */
export function callPart(call: JsonObject, scope: Scope): JsonObject {
  const named = objectIn(call, 'function');
  const name = stringIn(named, 'name');
  if (name === null) return scope.losses.refuse('messages[].tool_calls[]', 'only functions can be called');
  const part = { functionCall: { name, args: readArguments(named?.['arguments'], scope) } };
  return withSignature(part, call, scope);
}

/** Adds the signature that Google gave to a part of an earlier answer. */
export function withSignature(part: JsonObject, from: JsonObject, scope: Scope): JsonObject {
  const signature = signatureOf(from);
  return signature === null || scope.version < VERSION_WITH_JSON_SCHEMA
    ? part
    : { ...part, thoughtSignature: signature };
}

export function signatureOf(from: JsonObject): string | null {
  return stringIn(objectIn(objectIn(from, EXTRA_CONTENT), 'google'), 'thought_signature') || null;
}

/** Calls without arguments come as an empty string. */
function readArguments(text: unknown, scope: Scope): JsonObject {
  if (text === undefined || text === null || (typeof text === 'string' && text.trim() === '')) return {};
  const value = typeof text === 'string' ? parseJson(text) : text;
  return isObject(value)
    ? value
    : scope.losses.refuse('messages[].tool_calls[].function.arguments', 'they are no JSON object');
}
