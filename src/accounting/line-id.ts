const ID_FIELD = Buffer.from('"id":"');
const GENERATION_FIELD = Buffer.from('"generation":"');
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

/** The service generation in a line of Envoy's access log, in the same way. */
export function lineGeneration(line: Buffer): string | null {
  const at = line.indexOf(GENERATION_FIELD);
  if (at < 0) return null;
  const start = at + GENERATION_FIELD.length;
  const end = line.indexOf(QUOTE, start);
  const generation = end < 0 ? '' : line.toString('latin1', start, end);
  return /^\d+$/.test(generation) ? generation : null;
}
