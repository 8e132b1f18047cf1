import { isObject, type JsonObject, parseJson } from '../../json-value.js';
import { writeParts } from './parts.js';
import { type Scope, VERSION_WITH_SIGNATURES } from './scope.js';

export interface Result {
  readonly part: JsonObject;
  /** Media that must follow in a turn of their own, because the model takes none in results. */
  readonly media: readonly JsonObject[];
}

/** A `tool` message as the response of the function that was called. */
export function writeResult(message: JsonObject, name: string, scope: Scope): Result {
  const parts = writeParts(message['content'], scope);
  const text = parts.map((part) => part['text'] ?? '').join('');
  const media = parts.filter((part) => !('text' in part));
  const response = message['is_error'] === true ? { error: text } : responseOf(text);
  if (media.length === 0 || scope.version < VERSION_WITH_SIGNATURES)
    return { part: { functionResponse: { name, response } }, media };
  return { part: { functionResponse: { name, response, parts: media } }, media: [] };
}

/** Google wants an object; anything else stands in its own `output`. */
function responseOf(text: string): JsonObject {
  const value = text.trimStart().startsWith('{') ? parseJson(text) : undefined;
  return isObject(value) ? value : { output: text };
}
