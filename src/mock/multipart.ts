/** The text fields of a form and its first file. */
export interface Form {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: { readonly name: string; readonly bytes: number } | null;
}

const BLANK = Buffer.from('\r\n\r\n');

/** Reads `multipart/form-data` (RFC 7578) from bytes already in memory; null when it is none. */
export function readForm(contentType: string, body: Buffer): Form | null {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) return null;
  const fields: Record<string, string> = {};
  let file: Form['file'] = null;
  for (const part of partsOf(body, Buffer.from(`--${mark}`))) {
    const blank = part.indexOf(BLANK);
    if (blank < 0) continue;
    const head = part.subarray(0, blank).toString();
    const content = part.subarray(blank + BLANK.length);
    const name = /[;\s]name="([^"]*)"/i.exec(head)?.[1];
    const filename = /filename="([^"]*)"/i.exec(head)?.[1];
    if (filename !== undefined) file ??= { name: filename, bytes: content.length };
    else if (name !== undefined) fields[name] = content.toString();
  }
  return { fields, file };
}

function* partsOf(body: Buffer, delimiter: Buffer): Generator<Buffer> {
  let from = body.indexOf(delimiter);
  while (from >= 0) {
    const next = body.indexOf(delimiter, from + delimiter.length);
    if (next < 0) return;
    // Each part begins with the line end of its delimiter and ends with the one before the next.
    yield body.subarray(from + delimiter.length + 2, next - 2);
    from = next;
  }
}
