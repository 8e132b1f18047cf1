import { type JsonObject, objectIn, stringIn } from '../../json-value.js';
import type { Losses } from '../losses.js';

const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);
const PDF = 'application/pdf';
/** The first bytes of every PDF, in base64. */
const PDF_MAGIC = 'JVBERi';

interface DataUrl {
  /** Lower case, without parameters. */
  readonly type: string;
  readonly base64: string;
}

/** `{type:"image_url", image_url:{url, detail}}`, or the bare address that some clients send. */
export function imageBlock(part: JsonObject, losses: Losses): JsonObject {
  const field = 'messages[].content[].image_url';
  const url = stringIn(part, 'image_url') ?? stringIn(objectIn(part, 'image_url'), 'url') ?? '';
  const detail = stringIn(objectIn(part, 'image_url'), 'detail');
  if (detail !== null && detail !== 'auto') losses.drop(`${field}.detail`);
  if (/^https?:\/\//i.test(url)) return { type: 'image', source: { type: 'url', url } };
  const data = parseDataUrl(url);
  if (data === null) return losses.refuse(field, 'images must be data: or http(s) addresses');
  if (!IMAGE_TYPES.has(data.type)) return losses.refuse(field, 'images must be JPEG, PNG, GIF or WebP');
  return { type: 'image', source: { type: 'base64', media_type: data.type, data: data.base64 } };
}

/** `{type:"file", file:{file_data|file_url|file_id, filename}}` */
export function fileBlock(part: JsonObject, losses: Losses): JsonObject {
  const field = 'messages[].content[].file';
  const file = objectIn(part, 'file');
  const title = stringIn(file, 'filename');
  const named = title === null ? {} : { title };
  const url = stringIn(file, 'file_url');
  if (url !== null && /^https?:\/\//i.test(url)) return { type: 'document', source: { type: 'url', url }, ...named };
  const given = stringIn(file, 'file_data');
  if (given === null) return losses.refuse(field, 'a file that another provider stores cannot be read there');
  const data = parseDataUrl(given) ?? bareFile(given, title);
  if (data !== null && IMAGE_TYPES.has(data.type))
    return { type: 'image', source: { type: 'base64', media_type: data.type, data: data.base64 } };
  if (data?.type === PDF)
    return { type: 'document', source: { type: 'base64', media_type: PDF, data: data.base64 }, ...named };
  if (data?.type.startsWith('text/') !== true) return losses.refuse(field, 'files must be PDF, text or images');
  const text = Buffer.from(data.base64, 'base64').toString('utf8');
  return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: text }, ...named };
}

/** Base64 without `data:`, told by its first bytes or its name. */
function bareFile(data: string, name: string | null): DataUrl | null {
  const isPdf = data.startsWith(PDF_MAGIC) || name?.toLowerCase().endsWith('.pdf') === true;
  return isPdf && !data.startsWith('data:') ? { type: PDF, base64: data } : null;
}

/** Never runs a pattern over the data: it may be many megabytes. */
function parseDataUrl(url: string): DataUrl | null {
  const comma = url.indexOf(',');
  if (comma < 0 || comma > 200 || !/^data:/i.test(url.slice(0, 5))) return null;
  const [type = '', ...parameters] = url.slice(5, comma).toLowerCase().split(';');
  const known = type.trim() === 'image/jpg' ? 'image/jpeg' : type.trim();
  const data = url.slice(comma + 1);
  if (parameters.some((each) => each.trim() === 'base64')) return { type: known, base64: data };
  return { type: known === '' ? 'text/plain' : known, base64: Buffer.from(percentDecoded(data)).toString('base64') };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
