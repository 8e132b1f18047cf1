const ID_FIELD = Buffer.from('"id":"');
const QUOTE = 0x22;

/** The id in a JSON line of ours without parsing it; null when it is not to be seen at once (spaces, escapes). */
export function lineId(line: Buffer): string | null {
  const at = line.indexOf(ID_FIELD);
  if (at < 0) return null;
  const start = at + ID_FIELD.length;
  const end = line.indexOf(QUOTE, start);
  const id = end < 0 ? '' : line.toString('latin1', start, end);
  return /^[\w.:-]+$/.test(id) ? id : null;
}
