/** RFC 2046, section 5.1.1. */
const MAX_BOUNDARY = 70;
const MAX_PARTS = 1000;
const MAX_PART_HEADER = 16 * 1024;
const MAX_FIELD = 64 * 1024;

export interface FieldRange {
  readonly start: number;
  readonly end: number;
}

export interface MultipartResult {
  /** Why the body cannot be used, for people; null when it can. */
  readonly fault: string | null;
  /** A wanted field that appears twice, or in another spelling beside or instead of the right one. */
  readonly repeated: string | null;
  /** Wanted field → byte range of its value. */
  readonly fields: ReadonlyMap<string, FieldRange>;
  /** Wanted name → the name that differs from it only in case, when the wanted one is absent. */
  readonly variants: ReadonlyMap<string, string>;
}

/** The `boundary` parameter of a `multipart/form-data` content type, or null when missing, too long or malformed. */
export function multipartBoundary(contentType: string): string | null {
  if (!/^\s*multipart\/form-data\s*(;|$)/i.test(contentType)) return null;
  const match = /;\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;",]+))/i.exec(contentType.slice(0, 4096));
  const boundary = (match?.[1] ?? match?.[2] ?? '').replace(/\\(.)/g, '$1');
  const valid = /^[0-9A-Za-z'()+_,\-./:=? ]*[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary);
  return valid && boundary.length <= MAX_BOUNDARY ? boundary : null;
}

/** Finds the wanted form fields of a whole multipart body (RFC 7578), wherever they stand; files are passed over. */
export function scanMultipart(body: Buffer, boundary: string, wanted: readonly string[]): MultipartResult {
  const found = new Found(wanted);
  const fault = readParts(body, Buffer.from(`\r\n--${boundary}`, 'latin1'), found);
  return { fault, repeated: found.repeated, fields: found.fields, variants: found.variants };
}

function readParts(body: Buffer, delimiter: Buffer, found: Found): string | null {
  let at = firstDelimiter(body, delimiter);
  for (let parts = 0; at >= 0; parts += 1) {
    if (body[at] === 0x2d && body[at + 1] === 0x2d) return null;
    if (parts === MAX_PARTS) return `it has more than ${MAX_PARTS} parts`;
    const lineEnd = afterDelimiterLine(body, at);
    if (lineEnd < 0) return 'a boundary line is malformed';
    const headerEnd = partHeaderEnd(body, lineEnd);
    if (headerEnd < 0) return 'the header of a part is malformed or too long';
    const next = body.indexOf(delimiter, headerEnd - 2);
    if (next < 0) return 'the final boundary is missing';
    const fault = found.add(body, { header: [lineEnd, headerEnd], start: headerEnd, end: Math.max(next, headerEnd) });
    if (fault !== null) return fault;
    at = next + delimiter.length;
  }
  return 'the boundary named in content-type does not appear';
}

/** Offset behind the first delimiter; text before it is a preamble and means nothing. */
function firstDelimiter(body: Buffer, delimiter: Buffer): number {
  const bare = delimiter.subarray(2);
  if (body.subarray(0, bare.length).equals(bare)) return bare.length;
  const at = body.indexOf(delimiter);
  return at < 0 ? -1 : at + delimiter.length;
}

/** Only spaces and tabs may stand between a delimiter and its line end. */
function afterDelimiterLine(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09) at += 1;
  return body[at] === 0x0d && body[at + 1] === 0x0a ? at + 2 : -1;
}

function partHeaderEnd(body: Buffer, from: number): number {
  if (body[from] === 0x0d && body[from + 1] === 0x0a) return from + 2;
  const window = body.subarray(from, from + MAX_PART_HEADER);
  const at = window.indexOf('\r\n\r\n');
  return at < 0 ? -1 : from + at + 4;
}

interface Part {
  readonly header: readonly [start: number, end: number];
  readonly start: number;
  readonly end: number;
}

class Found {
  repeated: string | null = null;
  readonly fields = new Map<string, FieldRange>();
  readonly variants = new Map<string, string>();
  readonly #wanted: ReadonlyMap<string, string>;

  constructor(wanted: readonly string[]) {
    this.#wanted = new Map(wanted.map((name) => [name.toLowerCase(), name]));
  }

  /** Returns a fault when the part could be read as a wanted field by others, but not by us. */
  add(body: Buffer, part: Part): string | null {
    const header = body.toString('utf8', part.header[0], part.header[1]);
    const disposition = /^content-disposition:[ \t]*form-data[ \t]*(;.*)$/im.exec(header)?.[1];
    if (disposition === undefined) return null;
    if (/;\s*name\*\s*=/i.test(disposition)) return 'a part uses name*, which is not allowed in forms';
    const parameter = /;\s*name\s*=\s*(?:"((?:[^"\\\r\n]|\\.)*)"|([^\s;"]+))/i.exec(disposition);
    const name = decodeName(parameter?.[1] ?? parameter?.[2] ?? '');
    const wanted = this.#wanted.get(name.toUpperCase().toLowerCase());
    if (wanted === undefined) return null;
    if (this.fields.has(wanted) || this.variants.has(wanted)) this.repeated ??= name;
    if (/;\s*filename\*?\s*=/i.test(disposition) || /^content-transfer-encoding:/im.test(header)) {
      return `the field ${wanted} must be plain text`;
    }
    if (part.end - part.start > MAX_FIELD) return `the field ${wanted} is too long`;
    if (name === wanted) this.fields.set(wanted, { start: part.start, end: part.end });
    else this.variants.set(wanted, name);
    return null;
  }
}

/** Browsers write `%22` for a quote; others escape it with a backslash. */
function decodeName(raw: string): string {
  return raw.replace(/\\(.)/g, '$1').replace(/%22/gi, '"');
}
