import { type JsonObject, objectIn, stringIn } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import type { TranslationContext } from '../translation.js';

type PartReader = (part: JsonObject, context: TranslationContext) => JsonObject;

const READERS: ReadonlyMap<string, PartReader> = new Map<string, PartReader>([
  ['input_text', readText],
  ['output_text', readText],
  ['text', readText],
  // What a model said when it refused is what it said.
  ['refusal', (part) => ({ type: 'text', text: stringIn(part, 'refusal') ?? '' })],
  ['input_image', readImage],
  ['input_file', readFile],
  ['input_audio', (part) => ({ type: 'input_audio', input_audio: objectIn(part, 'input_audio') ?? {} })],
]);

/**
 * Content of a message or of a tool's output as parts of chat. Empty texts are left out: some providers refuse them.
 * @param content a string or a list of parts
 * @param field where it stands, for errors: `input[].content`
 */
export function readContent(content: unknown, field: string, context: TranslationContext): readonly JsonObject[] {
  const list = typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
  if (!Array.isArray(list)) return context.losses.refuse(field, 'it is neither a text nor a list of parts');
  return list.map((part) => readPart(part, field, context)).filter((part) => part['text'] !== '');
}

function readPart(part: unknown, field: string, context: TranslationContext): JsonObject {
  const type = stringIn(part, 'type') ?? '';
  const read = READERS.get(type);
  if (read === undefined)
    return context.losses.refuse(`${field}[].type`, `it takes no part of type "${type.slice(0, 60)}"`);
  const object = part as JsonObject;
  return { ...read(object, context), ...breakpoint(object, field, context) };
}

/** A hint where a cache may end. */
function breakpoint(part: JsonObject, field: string, { extended, losses }: TranslationContext): JsonObject {
  if (objectIn(part, 'prompt_cache_breakpoint') === null) return {};
  if (extended) return { [CACHE_CONTROL]: { type: 'ephemeral' } };
  losses.drop(`${field}[].prompt_cache_breakpoint`);
  return {};
}

function readText(part: JsonObject, { losses }: TranslationContext): JsonObject {
  const annotations = part['annotations'];
  if (Array.isArray(annotations) && annotations.length > 0) losses.drop('input[].content[].annotations');
  return { type: 'text', text: stringIn(part, 'text') ?? '' };
}

function readImage(part: JsonObject, context: TranslationContext): JsonObject {
  const url = stringIn(part, 'image_url') ?? refuseStored('image', context);
  const detail = stringIn(part, 'detail');
  if (detail === 'original') context.losses.drop('input[].content[].detail');
  const wanted = detail === 'original' ? 'high' : detail;
  return { type: 'image_url', image_url: { url, ...(wanted === null ? {} : { detail: wanted }) } };
}

function readFile(part: JsonObject, context: TranslationContext): JsonObject {
  const data = stringIn(part, 'file_data');
  const filename = stringIn(part, 'filename') ?? 'file.pdf';
  if (data !== null) return { type: 'file', file: { filename, file_data: data } };
  const url = stringIn(part, 'file_url') ?? refuseStored('file', context);
  if (!context.extended) context.losses.refuse('input[].content[].file_url', 'files cannot be fetched for it');
  return { type: 'file', file: { filename, file_url: url } };
}

function refuseStored(what: string, { losses }: TranslationContext): never {
  return losses.refuse('input[].content[].file_id', `an uploaded ${what} is known only to the service that stores it`);
}

/** A single text where there is nothing else, because many servers want a string. */
export function collapsed(parts: readonly JsonObject[]): string | readonly JsonObject[] {
  const [only] = parts;
  const plain = parts.length === 1 && only?.['type'] === 'text' && only[CACHE_CONTROL] === undefined;
  return plain ? String(only['text']) : parts;
}
