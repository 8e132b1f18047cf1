import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import type { Losses } from '../losses.js';
import type { CachePoints } from './cache-points.js';
import { type DocumentNames, documentFormat, IMAGE_FORMATS, readDataUrl, sourceOf } from './media.js';

/** What the parts of one request share. */
export interface ContentParts {
  readonly losses: Losses;
  readonly cache: CachePoints;
  readonly documents: DocumentNames;
}

type PartReader = (part: JsonObject, parts: ContentParts) => readonly JsonObject[];

const READERS: ReadonlyMap<string, PartReader> = new Map<string, PartReader>([
  ['text', (part) => textBlocks(stringIn(part, 'text') ?? '')],
  ['refusal', (part) => textBlocks(stringIn(part, 'refusal') ?? '')],
  ['image_url', imageBlocks],
  ['file', fileBlocks],
  ['document', documentBlocks],
  ['input_audio', audioBlocks],
]);

const CONTENT = 'messages[].content';

/** A string or a list of parts as Converse's blocks, with their cache points. */
export function contentBlocks(content: unknown, parts: ContentParts): readonly JsonObject[] {
  if (typeof content === 'string') return textBlocks(content);
  if (!Array.isArray(content)) return [];
  return content.flatMap((part) => partBlocks(part, parts));
}

/** Converse refuses blank text, so it is left out. */
export function textBlocks(text: string): readonly JsonObject[] {
  return text.trim() === '' ? [] : [{ text }];
}

function partBlocks(part: unknown, parts: ContentParts): readonly JsonObject[] {
  if (typeof part === 'string') return textBlocks(part);
  const type = stringIn(part, 'type') ?? 'text';
  const reader = READERS.get(type);
  if (!isObject(part) || reader === undefined) {
    return parts.losses.refuse(CONTENT, `Bedrock has no content of type "${type.slice(0, 64)}"`);
  }
  const blocks = reader(part, parts);
  return blocks.length === 0 ? [] : [...blocks, ...parts.cache.after(part, 'messages')];
}

function imageBlocks(part: JsonObject, { losses }: ContentParts): readonly JsonObject[] {
  const image = objectIn(part, 'image_url');
  const url = stringIn(image, 'url') ?? stringIn(part, 'image_url') ?? '';
  const detail = stringIn(image, 'detail') ?? 'auto';
  if (detail !== 'auto') losses.drop(`${CONTENT}[].image_url.detail`);
  return [imageBlock(url, losses)];
}

function imageBlock(url: string, losses: Losses): JsonObject {
  const source = sourceOf(url);
  if (source === null)
    return losses.refuse(`${CONTENT}[].image_url`, 'Bedrock fetches no URLs; send the image as base64');
  const format = IMAGE_FORMATS.get(readDataUrl(url)?.type ?? `image/${endingOf(url)}`);
  if (format === undefined) return losses.refuse(`${CONTENT}[].image_url`, 'Bedrock reads png, jpeg, gif and webp');
  return { image: { format, source } };
}

function endingOf(url: string): string {
  return /\.([a-z]{3,4})$/i.exec(url)?.[1]?.toLowerCase() ?? '';
}

/** `{file: {file_data, filename}}`; data as a `data:` URL, or base64 alone as some clients send it. */
function fileBlocks(part: JsonObject, parts: ContentParts): readonly JsonObject[] {
  const file = objectIn(part, 'file');
  const filename = stringIn(file, 'filename') ?? '';
  const data = stringIn(file, 'file_data') ?? stringIn(file, 'file_url') ?? '';
  if (data === '') return parts.losses.refuse(`${CONTENT}[].file`, 'Bedrock knows no uploaded files; send file_data');
  const type = readDataUrl(data)?.type ?? '';
  if (IMAGE_FORMATS.has(type)) return [imageBlock(data, parts.losses)];
  const isUrl = /^[a-z][a-z0-9+.-]{1,20}:/i.test(data);
  const source = isUrl ? sourceOf(data) : { bytes: data };
  if (source === null) return parts.losses.refuse(`${CONTENT}[].file`, 'Bedrock fetches no URLs; send file_data');
  const format = documentFormat(type, filename === '' && isUrl && type === '' ? data : filename);
  if (format === null) return parts.losses.refuse(`${CONTENT}[].file`, 'Bedrock reads no documents of this type');
  return [{ document: { format, name: parts.documents.take(filename), source } }];
}

/** Anthropic's block as it is. */
function documentBlocks(part: JsonObject, parts: ContentParts): readonly JsonObject[] {
  const source = objectIn(part, 'source');
  const read = DOCUMENT_SOURCES.get(stringIn(source, 'type') ?? '');
  if (source === null || read === undefined) {
    return parts.losses.refuse(`${CONTENT}[].document`, 'Bedrock fetches no URLs and knows no uploaded files');
  }
  const context = stringIn(part, 'context');
  const cited = objectIn(part, 'citations')?.['enabled'] === true;
  const document = {
    ...read(source, parts.losses),
    name: parts.documents.take(stringIn(part, 'title') ?? ''),
    ...(context === null ? {} : { context }),
    ...(cited ? { citations: { enabled: true } } : {}),
  };
  return [{ document }];
}

const DOCUMENT_SOURCES: ReadonlyMap<string, (source: JsonObject, losses: Losses) => JsonObject> = new Map([
  ['base64', base64Document],
  ['text', (source) => ({ format: 'txt', source: { text: stringIn(source, 'data') ?? '' } })],
  ['content', (source) => ({ format: 'txt', source: { content: chunksOf(source) } })],
]);

function base64Document(source: JsonObject, losses: Losses): JsonObject {
  const format = documentFormat(stringIn(source, 'media_type') ?? '', '');
  if (format === null) return losses.refuse(`${CONTENT}[].document`, 'Bedrock reads no documents of this type');
  return { format, source: { bytes: stringIn(source, 'data') ?? '' } };
}

function chunksOf(source: JsonObject): readonly JsonObject[] {
  const text = stringIn(source, 'content');
  return text === null
    ? listIn(source, 'content').map((chunk) => ({ text: stringIn(chunk, 'text') ?? '' }))
    : [{ text }];
}

function audioBlocks(part: JsonObject, { losses }: ContentParts): readonly JsonObject[] {
  const audio = objectIn(part, 'input_audio');
  const format = stringIn(audio, 'format') ?? '';
  const bytes = stringIn(audio, 'data') ?? '';
  if (!/^[a-z0-9-]{2,8}$/.test(format) || bytes === '') {
    return losses.refuse(`${CONTENT}[].input_audio`, 'it must have a format and base64 data');
  }
  return [{ audio: { format, source: { bytes } } }];
}
