import { crc32 } from 'node:zlib';
import type { LedgerEntry } from './entry.js';

/** Digits of the checksum and the space after it. */
const PREFIX = 9;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const HEX_DIGITS = Buffer.from('0123456789abcdef');
/** Bytes of UTF-8 for one UTF-16 unit, at most. */
const MOST_BYTES = 3;

/** One entry as it lies on disk: `<CRC-32 of the JSON, 8 hex digits> <JSON>\n`, UTF-8. JSON never holds a raw newline. */
export function encodeLine(entry: LedgerEntry): string {
  const json = JSON.stringify(entry);
  return `${checksum(json)} ${json}\n`;
}

/** Bytes that `putLine` needs at most. */
export function longestLine(json: string): number {
  return PREFIX + MOST_BYTES * json.length + 1;
}

/** Puts the line of an entry's JSON at `at`, where `longestLine` bytes are free; returns where it ends. */
export function putLine(bytes: Buffer, at: number, json: string): number {
  const start = at + PREFIX;
  const end = start + bytes.write(json, start);
  let sum = crc32(bytes.subarray(start, end));
  for (let digit = PREFIX - 2; digit >= 0; digit -= 1) {
    bytes[at + digit] = HEX_DIGITS[sum & 0xf] ?? 0;
    sum >>>= 4;
  }
  bytes[start - 1] = SPACE;
  bytes[end] = NEWLINE;
  return end + 1;
}

/** Whether the checksum of a line without its newline fits: the bytes are what was written. */
export function isIntact(line: Buffer): boolean {
  if (line.length <= PREFIX || line[PREFIX - 1] !== SPACE) return false;
  let sum = crc32(line.subarray(PREFIX));
  for (let digit = PREFIX - 2; digit >= 0; digit -= 1) {
    if (line[digit] !== HEX_DIGITS[sum & 0xf]) return false;
    sum >>>= 4;
  }
  return true;
}

const HOLD = Buffer.from('{"type":"hold",');

/** Whether a line is a hold's by its beginning, without parsing it: half of all lines are. */
export function isHoldLine(line: Buffer): boolean {
  return line.subarray(PREFIX, PREFIX + HOLD.length).equals(HOLD);
}

/** Blanks only: what a disk was probed with. */
export function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === SPACE);
}

/** The entry of a line without its newline, or null when the line is not what was written. Never throws. */
export function decodeLine(line: Buffer): LedgerEntry | null {
  return decodeWithText(line)?.entry ?? null;
}

/** The same with the JSON as it was written. */
export function decodeWithText(line: Buffer): { readonly entry: LedgerEntry; readonly text: string } | null {
  if (!isIntact(line)) return null;
  const text = line.toString('utf8', PREFIX);
  try {
    const value: unknown = JSON.parse(text);
    return isEntry(value) ? { entry: value, text } : null;
  } catch {
    return null;
  }
}

function checksum(json: string | Buffer): string {
  return crc32(json).toString(16).padStart(8, '0');
}

const TYPES: ReadonlySet<unknown> = new Set(['hold', 'settle', 'estimate', 'void', 'refusal']);

/** The checksum says that we wrote it; the shape only needs what every reader relies on. */
function isEntry(value: unknown): value is LedgerEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { type, id, time } = value as { type?: unknown; id?: unknown; time?: unknown };
  return TYPES.has(type) && typeof id === 'string' && typeof time === 'string';
}
