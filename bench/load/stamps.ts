/**
 * Events that say when they were sent: `"@` and 16 digits, microseconds of the machine's monotonic clock, which all
 * processes of one machine share.
 */

const MARK = Buffer.from('"@');
const DIGITS = 16;
/** From the first byte of the mark to the end of the digits. */
export const STAMP_LENGTH = MARK.length + DIGITS;

/** Now, as it stands in an event. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** @returns the place of the digits in a template that holds `"@`, or -1 */
export function stampPlace(template: Buffer): number {
  const at = template.indexOf(MARK);
  return at < 0 ? -1 : at + MARK.length;
}

/** The stamp in text, for templates. */
export function emptyStamp(): string {
  return `@${'0'.repeat(DIGITS)}`;
}

export function writeStamp(event: Buffer, place: number, micros: number): void {
  event.write(String(micros).padStart(DIGITS, '0'), place, DIGITS, 'latin1');
}

/** Calls `take` with the age in milliseconds of every stamp that lies whole in these bytes. */
export function readStamps(bytes: Buffer, take: (ageMs: number) => void): void {
  let at = bytes.indexOf(MARK);
  if (at < 0) return;
  const now = monotonicMicros();
  while (at >= 0 && at + STAMP_LENGTH <= bytes.length) {
    const sent = Number(bytes.toString('latin1', at + MARK.length, at + STAMP_LENGTH));
    if (sent > 0) take((now - sent) / 1000);
    at = bytes.indexOf(MARK, at + STAMP_LENGTH);
  }
}
