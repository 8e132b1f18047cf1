import type { JsonObject } from '../../json-value.js';
import { type Scope, VERSION_WITH_JSON_SCHEMA } from './scope.js';

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  wav: 'audio/wav',
  mp3: 'audio/mp3',
  aac: 'audio/aac',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  mov: 'video/mov',
  webm: 'video/webm',
  mpeg: 'video/mpeg',
};

/** What Google fetches for every generation: its own files, its storage and YouTube. */
const OWN_LINK =
  /^(?:gs:\/\/|https:\/\/(?:generativelanguage\.googleapis\.com|www\.youtube\.com|youtube\.com|youtu\.be)\/)/;
const FILE_NAME = /^files\/[\w-]+$/;
const FILES = 'https://generativelanguage.googleapis.com/v1beta/';
const LONGEST_HEAD = 256;

/** Where a medium stands in the client's request, and what it is when nothing says so. */
export interface Medium {
  /** `messages[].content[].image_url` */
  readonly field: string;
  readonly fallback: string;
}

/** A part for a `data:` URL, or for a link where Google fetches it. */
export function mediaPart(url: string, medium: Medium, scope: Scope): JsonObject {
  return url.startsWith('data:') ? dataPart(url, medium, scope) : linkPart(url, medium, scope);
}

export function inlinePart(mimeType: string, data: string): JsonObject {
  return { inlineData: { mimeType, data } };
}

function dataPart(url: string, { field, fallback }: Medium, scope: Scope): JsonObject {
  const comma = url.slice(0, LONGEST_HEAD).indexOf(',');
  if (comma < 0) return scope.losses.refuse(field, 'its data URL cannot be read');
  const [type = '', ...more] = url.slice('data:'.length, comma).split(';');
  const data = url.slice(comma + 1);
  const mimeType = type === '' ? fallback : type;
  if (more.includes('base64')) return inlinePart(mimeType, data);
  return inlinePart(mimeType, Buffer.from(decoded(data)).toString('base64'));
}

function linkPart(url: string, { field, fallback }: Medium, scope: Scope): JsonObject {
  if (FILE_NAME.test(url)) return { fileData: { fileUri: FILES + url } };
  const known = OWN_LINK.test(url) || (/^https?:\/\//.test(url) && scope.version >= VERSION_WITH_JSON_SCHEMA);
  if (!known)
    return scope.losses.refuse(field, 'it is a link that Google does not follow for this model; send the data');
  return { fileData: { fileUri: url, mimeType: mimeTypeOf(url) ?? fallback } };
}

/** By the end of a path or file name; null when that tells nothing. */
export function mimeTypeOf(name: string): string | null {
  const ending = /\.([a-z0-9]{1,5})(?:[?#]|$)/i.exec(name.slice(-LONGEST_HEAD))?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(TYPES, ending) ? (TYPES[ending] ?? null) : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
