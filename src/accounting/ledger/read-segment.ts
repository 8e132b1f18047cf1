import type { LedgerEntry } from './entry.js';
import { decodeLine, isBlank, isIntact } from './line.js';
import { readLines } from './read-lines.js';

/** Bytes that are no entry. */
export interface Damage {
  readonly file: string;
  /** First byte of the unreadable line. */
  readonly offset: number;
  readonly length: number;
}

export interface SegmentReading {
  readonly damages: readonly Damage[];
  /** A last line that was begun and never finished, or null. */
  readonly torn: Damage | null;
}

/**
 * Calls `visit` with each entry of a segment in order and its offset. With `last`, unreadable bytes that no entry follows count as
 * torn too: what a power cut leaves at the end of the file that was being written. Lines that are whole but of a kind that
 * this version does not know are left out.
 */
export async function readSegment(
  file: string,
  options: { readonly last: boolean; readonly visit: (entry: LedgerEntry, offset: number) => void },
): Promise<SegmentReading> {
  const damages: Damage[] = [];
  let trailing = 0;
  const take = (line: Buffer, offset: number) => {
    const entry = decodeLine(line);
    if (entry) {
      trailing = 0;
      options.visit(entry, offset);
    } else if (!isBlank(line) && !isIntact(line)) {
      damages.push({ file, offset, length: line.length });
      trailing += 1;
    }
  };
  const rest = await readLines(file, 0, take);
  const before = damages.length;
  take(rest.line, rest.offset);
  const tornLines = options.last ? trailing : damages.length - before;
  const torn = tornLines === 0 ? null : join(file, damages.splice(damages.length - tornLines));
  return { damages, torn };
}

function join(file: string, damages: readonly Damage[]): Damage | null {
  const [first] = damages;
  const last = damages.at(-1);
  return first && last ? { file, offset: first.offset, length: last.offset + last.length - first.offset } : null;
}
