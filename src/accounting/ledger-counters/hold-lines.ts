import type { LedgerEntry } from '../ledger/entry.js';
import { decodeLine, isHoldLine } from '../ledger/line.js';
import { lineId } from '../line-id.js';

export interface LineReader {
  /** Whether a line is worth parsing. */
  readonly wants: (line: Buffer) => boolean;
  readonly visit: (entry: LedgerEntry, boot: string) => void;
}

/**
 * The lines of one boot on their way to a reader. Half of them are holds, and nearly all of these are settled a few lines on by an entry
 * that names the same places: such a hold is not even parsed, which is most of the work.
 */
export class HoldLines {
  readonly #reader: LineReader;
  readonly #boot: string;
  /** By request, as they were written. */
  readonly #open = new Map<string, Buffer>();

  constructor(reader: LineReader, boot: string) {
    this.#reader = reader;
    this.#boot = boot;
  }

  /** @param line without its newline; only valid during the call */
  take(line: Buffer): void {
    const isHold = isHoldLine(line);
    const id = isHold || this.#open.size > 0 ? lineId(line) : null;
    if (isHold && id !== null) {
      if (this.#reader.wants(line)) this.#keep(id, line);
      return;
    }
    const hold = id === null ? undefined : this.#open.get(id);
    if (hold === undefined && !this.#reader.wants(line)) return;
    const entry = decodeLine(line);
    if (entry === null) return;
    if (hold !== undefined) this.#end(entry, hold);
    this.#reader.visit(entry, this.#boot);
  }

  /** Visits the holds that nothing has ended so far. */
  visitOpen(): void {
    for (const line of this.#open.values()) this.#visit(line);
    this.#open.clear();
  }

  #keep(id: string, line: Buffer): void {
    const before = this.#open.get(id);
    if (before !== undefined) this.#visit(before);
    this.#open.set(id, Buffer.from(line));
  }

  /** An entry without places of its own is about those of its hold. */
  #end(entry: LedgerEntry, hold: Buffer): void {
    if (!entry.limits) this.#visit(hold);
    this.#open.delete(entry.id);
  }

  #visit(line: Buffer): void {
    const entry = decodeLine(line);
    if (entry) this.#reader.visit(entry, this.#boot);
  }
}
