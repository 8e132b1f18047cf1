import type { JsonObject } from '../../json-value.js';

/** A `data:` URL with base64 content. */
export interface DataUrl {
  /** Lower case, without parameters: `image/png`. */
  readonly type: string;
  readonly base64: string;
}

export const IMAGE_FORMATS: ReadonlyMap<string, string> = new Map([
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/jpg', 'jpeg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
]);

const DOCUMENT_FORMATS: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'],
  ['text/csv', 'csv'],
  ['application/msword', 'doc'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ['text/html', 'html'],
  ['text/plain', 'txt'],
  ['text/markdown', 'md'],
]);
const EXTENSIONS: ReadonlySet<string> = new Set(DOCUMENT_FORMATS.values());

/** Null when it is no `data:` URL of base64. */
export function readDataUrl(url: string): DataUrl | null {
  if (!url.startsWith('data:')) return null;
  const comma = url.indexOf(',');
  // Only the head may be searched: the content can be megabytes.
  const head = comma < 0 || comma > 300 ? '' : url.slice(5, comma);
  if (!head.endsWith(';base64')) return null;
  return { type: (head.split(';', 1)[0] ?? '').toLowerCase(), base64: url.slice(comma + 1) };
}

/** By the media type, else by the name's ending; null = none that Bedrock reads. */
export function documentFormat(type: string, filename: string): string | null {
  const byType = DOCUMENT_FORMATS.get(type.toLowerCase());
  if (byType !== undefined) return byType;
  const ending = /\.([a-z]{2,4})$/i.exec(filename)?.[1]?.toLowerCase() ?? '';
  return EXTENSIONS.has(ending) ? ending : null;
}

/** Bytes given in place or in a bucket; null for every other URL, because Bedrock fetches none. */
export function sourceOf(url: string): JsonObject | null {
  const data = readDataUrl(url);
  if (data !== null) return { bytes: data.base64 };
  return url.startsWith('s3://') ? { s3Location: { uri: url } } : null;
}

/** Names of documents: letters, digits, single spaces, hyphens and brackets, at most 200, each once in a request. */
export class DocumentNames {
  readonly #taken = new Set<string>();

  take(wish: string): string {
    const clean = wish
      .replace(/\.[a-z]{2,4}$/i, '')
      .replace(/[^a-zA-Z0-9 \-()[\]]/g, '-')
      .replace(/ {2,}/g, ' ')
      .trim()
      .slice(0, 190);
    const base = /[a-zA-Z0-9]/.test(clean) ? clean : 'document';
    let name = base;
    for (let number = 2; this.#taken.has(name); number += 1) name = `${base} (${number})`;
    this.#taken.add(name);
    return name;
  }
}
