import { isObject, type JsonObject, objectIn, stringIn } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import { inlinePart, mediaPart, mimeTypeOf } from './media.js';
import type { Scope } from './scope.js';

const FIELD = 'messages[].content[]';

type PartWriter = (part: JsonObject, scope: Scope) => JsonObject | null;

const WRITERS: ReadonlyMap<string, PartWriter> = new Map<string, PartWriter>([
  ['text', (part) => textPart(part['text'])],
  ['refusal', (part) => textPart(part['refusal'])],
  ['image_url', imagePart],
  ['input_audio', audioPart],
  ['video_url', (part, scope) => linked(part, { key: 'video_url', fallback: 'video/mp4' }, scope)],
  ['file', filePart],
  ['document', documentPart],
]);

/** The parts of a message: its `content` may be a string, a list, or nothing. Texts without a character are left out. */
export function writeParts(content: unknown, scope: Scope): JsonObject[] {
  if (!Array.isArray(content)) return [textPart(content)].filter(isObject);
  return content.map((part) => writePart(part, scope)).filter(isObject);
}

function writePart(part: unknown, scope: Scope): JsonObject | null {
  if (typeof part === 'string') return textPart(part);
  const type = stringIn(part, 'type') ?? '';
  const writer = WRITERS.get(type);
  if (!isObject(part) || writer === undefined)
    return scope.losses.refuse(FIELD, `Gemini has no parts of the type "${type.slice(0, 40)}"`);
  if (isObject(part[CACHE_CONTROL])) scope.losses.drop(`${FIELD}.${CACHE_CONTROL}`);
  return writer(part, scope);
}

function textPart(text: unknown): JsonObject | null {
  return typeof text === 'string' && text !== '' ? { text } : null;
}

function imagePart(part: JsonObject, scope: Scope): JsonObject {
  const detail = stringIn(objectIn(part, 'image_url'), 'detail') ?? 'auto';
  if (detail !== 'auto') scope.losses.drop(`${FIELD}.image_url.detail`);
  return linked(part, { key: 'image_url', fallback: 'image/jpeg' }, scope);
}

/** `{url}` below the key, or the URL itself. */
function linked(part: JsonObject, { key, fallback }: { key: string; fallback: string }, scope: Scope): JsonObject {
  const url = stringIn(part, key) ?? stringIn(objectIn(part, key), 'url');
  const field = `${FIELD}.${key}`;
  return url === null ? scope.losses.refuse(field, 'it has no URL') : mediaPart(url, { field, fallback }, scope);
}

function audioPart(part: JsonObject, scope: Scope): JsonObject {
  const audio = objectIn(part, 'input_audio');
  const data = stringIn(audio, 'data');
  if (data === null) return scope.losses.refuse(`${FIELD}.input_audio`, 'it has no data');
  const format = stringIn(audio, 'format') ?? 'wav';
  return inlinePart(mimeTypeOf(`.${format}`) ?? `audio/${format}`, data);
}

function filePart(part: JsonObject, scope: Scope): JsonObject {
  const file = objectIn(part, 'file');
  const field = `${FIELD}.file`;
  const fallback = stringIn(file, 'format') ?? mimeTypeOf(stringIn(file, 'filename') ?? '') ?? 'application/pdf';
  const data = stringIn(file, 'file_data');
  // OpenRouter takes a link there, too.
  if (data !== null && !/^(?:data|https?|gs):/.test(data)) return inlinePart(fallback, data);
  const url = data ?? stringIn(file, 'file_url') ?? stringIn(file, 'file_id');
  return url === null ? scope.losses.refuse(field, 'it has no data') : mediaPart(url, { field, fallback }, scope);
}

/** Anthropic's block as it is: its source is base64, a text, a link, or content of its own. */
function documentPart(part: JsonObject, scope: Scope): JsonObject | null {
  const source = objectIn(part, 'source');
  const field = `${FIELD}.document`;
  for (const name of ['title', 'context']) if (stringIn(part, name)) scope.losses.drop(`${field}.${name}`);
  const data = stringIn(source, 'data');
  const mimeType = stringIn(source, 'media_type') ?? 'application/pdf';
  const url = stringIn(source, 'url');
  if (data !== null) return stringIn(source, 'type') === 'text' ? textPart(data) : inlinePart(mimeType, data);
  if (url !== null) return mediaPart(url, { field, fallback: mimeType }, scope);
  return textPart(stringIn(source, 'content')) ?? scope.losses.refuse(field, 'its source cannot be read');
}
