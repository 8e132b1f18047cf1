import { crc32 } from 'node:zlib';
import { type IssuedKey, parseIssuedKey } from './issued-key.js';

/** Digits of the checksum and the space after it. */
const PREFIX = 9;
const NEWLINE = 0x0a;

/**
 * One revision as it lies in the file: an empty line, then `<CRC-32 of the JSON, 8 hex digits> <JSON>`. The newline in front
 * ends what somebody else may have left unfinished, so that a torn line never swallows the next one.
 */
export function encodeKeyLine(key: IssuedKey): string {
  const json = JSON.stringify(key);
  return `\n${checksum(json)} ${json}\n`;
}

export interface KeyLines {
  readonly keys: readonly IssuedKey[];
  /** Bytes that are done with; the rest has to be read again together with what follows. */
  readonly consumed: number;
  /** Byte offsets, from the beginning of `bytes`, of lines that were complete once. Unfinished ones are no damage. */
  readonly damaged: readonly number[];
}

/** Reads the whole lines of a piece. `end`: the file ended here when the piece was read. */
export function decodeKeyLines(bytes: Buffer, { end: atEnd }: { readonly end: boolean }): KeyLines {
  const keys: IssuedKey[] = [];
  const damaged: number[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    const key = end > start ? decode(bytes.subarray(start, end)) : null;
    if (key) keys.push(key);
    else if (end > start) {
      const next = bytes[end + 1];
      if (next === undefined && !atEnd) break;
      // A line that its writer finished is followed by the empty line of the next one; a torn one is not.
      if (next === undefined || next === NEWLINE) damaged.push(start);
    }
    start = end + 1;
  }
  return { keys, consumed: start, damaged };
}

function decode(line: Buffer): IssuedKey | null {
  if (line.length <= PREFIX || line[PREFIX - 1] !== 0x20) return null;
  const json = line.subarray(PREFIX);
  return line.toString('latin1', 0, PREFIX - 1) === checksum(json) ? parseIssuedKey(json.toString('utf8')) : null;
}

function checksum(json: string | Buffer): string {
  return crc32(json).toString(16).padStart(8, '0');
}
