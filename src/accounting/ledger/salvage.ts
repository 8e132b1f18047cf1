import { crc32 } from 'node:zlib';
import { isIntact } from './line.js';

/** `<8 hex digits> {`: how every entry begins. */
const BEGIN = /[0-9a-f]{8} \{/g;
const BRACE = 0x7d;
/** Digits and space before the JSON. */
const PREFIX = 9;
/** No entry is near this long. */
const LONGEST_ENTRY = 64 * 1024;
/** Garbage may look like a beginning at every few bytes; this many tries are ten times what two joined entries need. */
const MOST_TRIES = 50_000;

/**
 * The whole entries inside an unreadable line, as they were written: one wrong byte where a newline was makes one line of
 * two good entries. The checksum decides; text inside an entry cannot pass, because JSON escapes its quotes.
 */
export function salvage(line: Buffer): Buffer[] {
  const found: Buffer[] = [];
  const tries = { left: MOST_TRIES };
  let behind = 0;
  for (const match of line.toString('latin1').matchAll(BEGIN)) {
    if (match.index < behind) continue;
    const entry = entryAt(line, match.index, tries);
    if (!entry) continue;
    found.push(entry);
    behind = match.index + entry.length;
  }
  return found;
}

/** Tries every closing brace as the end, extending one running checksum. */
function entryAt(line: Buffer, start: number, tries: { left: number }): Buffer | null {
  const wanted = Number.parseInt(line.toString('latin1', start, start + PREFIX - 1), 16);
  const limit = Math.min(line.length, start + LONGEST_ENTRY);
  let checked = start + PREFIX;
  let sum = 0;
  for (
    let end = line.indexOf(BRACE, checked);
    end >= 0 && end < limit && tries.left > 0;
    end = line.indexOf(BRACE, checked)
  ) {
    sum = crc32(line.subarray(checked, end + 1), sum);
    checked = end + 1;
    tries.left -= 1;
    if (sum !== wanted) continue;
    const entry = line.subarray(start, checked);
    if (isIntact(entry)) return Buffer.from(entry);
  }
  return null;
}
