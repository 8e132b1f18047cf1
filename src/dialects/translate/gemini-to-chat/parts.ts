import { type JsonObject, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';

const FIELD = 'contents[].parts[]';
/** Formats of sound by MIME type; OpenAI's dialect has no others. */
const SOUNDS: ReadonlyMap<string, string> = new Map([
  ['audio/wav', 'wav'],
  ['audio/x-wav', 'wav'],
  ['audio/wave', 'wav'],
  ['audio/mp3', 'mp3'],
  ['audio/mpeg', 'mp3'],
]);

/** A part of the user's as a part of a chat message; null for a text without a character. */
export function writePart(part: JsonObject, context: TranslationContext): JsonObject | null {
  for (const name of ['videoMetadata', 'mediaResolution']) {
    if (name in part) context.losses.drop(`${FIELD}.${name}`);
  }
  const blob = objectIn(part, 'inlineData');
  const file = objectIn(part, 'fileData');
  if (blob !== null) return inlinePart(blob, context);
  if (file !== null) return linkedPart(file, context);
  const text = stringIn(part, 'text');
  if (text !== null) return text === '' ? null : { type: 'text', text };
  const name = Object.keys(part).find((key) => key !== 'thoughtSignature') ?? '';
  return context.losses.refuse(`${FIELD}.${name}`, 'only texts, media, calls and their results are understood');
}

function inlinePart(blob: JsonObject, { losses }: TranslationContext): JsonObject {
  const type = (stringIn(blob, 'mimeType') ?? '').split(';', 1)[0]?.toLowerCase() ?? '';
  const data = standardBase64(stringIn(blob, 'data') ?? '');
  if (type.startsWith('image/')) return { type: 'image_url', image_url: { url: `data:${type};base64,${data}` } };
  const format = SOUNDS.get(type);
  if (format !== undefined) return { type: 'input_audio', input_audio: { data, format } };
  if (type === 'application/pdf') {
    const filename = stringIn(blob, 'displayName') ?? 'document.pdf';
    return { type: 'file', file: { filename, file_data: `data:${type};base64,${data}` } };
  }
  if (type.startsWith('text/')) return { type: 'text', text: Buffer.from(data, 'base64').toString() };
  return losses.refuse(`${FIELD}.inlineData`, `data of the type "${type.slice(0, 40)}" is not understood`);
}

function linkedPart(file: JsonObject, { losses, extended }: TranslationContext): JsonObject {
  const url = stringIn(file, 'fileUri') ?? '';
  const type = stringIn(file, 'mimeType') ?? '';
  const field = `${FIELD}.fileData`;
  if (!/^https?:\/\//.test(url)) return losses.refuse(field, 'files at Google cannot be read elsewhere');
  if (type.startsWith('image/')) return { type: 'image_url', image_url: { url } };
  if (type === 'application/pdf' && extended) return { type: 'file', file: { file_url: url } };
  return losses.refuse(field, 'only pictures may be links');
}

/** Google takes the alphabet of URLs, too. */
function standardBase64(data: string): string {
  return /[-_]/.test(data) ? data.replaceAll('-', '+').replaceAll('_', '/') : data;
}
