import type { FinalEntry } from '../ledger/entry.js';
import type { LedgerTail, Reading } from './ledger-tail.js';
import type { RequestRow } from './request-row.js';
import type { FilePosition, Piece } from './write-batch.js';

/** Some 40 entries: what is made of them fits into V8's young generation many times. */
const PIECE_BYTES = 64 * 1024;
/** Of one transaction, about. */
const MOST_ROWS = 2_000;

/** What the ledger has beyond the accepted positions, in pieces, up to what one transaction takes. To be gone through once. */
export class LedgerPieces implements Iterable<Piece> {
  readonly #tail: LedgerTail;
  readonly #rowOf: (entry: FinalEntry, text: string | undefined) => RequestRow;
  readonly #after = new Map<string, FilePosition>();
  #next: Reading | null;

  constructor(tail: LedgerTail, rowOf: (entry: FinalEntry, text: string | undefined) => RequestRow) {
    this.#tail = tail;
    this.#rowOf = rowOf;
    this.#next = this.#read();
  }

  /** Whether there is one. */
  get any(): boolean {
    return this.#next !== null;
  }

  *[Symbol.iterator](): Generator<Piece> {
    for (let rows = 0; this.#next !== null && rows < MOST_ROWS; this.#next = this.#read()) {
      const { entries, texts, moves } = this.#next;
      for (const { to } of moves) this.#after.set(to.file, to);
      rows += entries.length;
      yield { rows: entries.map((entry, at) => this.#rowOf(entry, texts[at])), moves };
    }
  }

  #read(): Reading | null {
    return this.#tail.read({ after: this.#after, pieceBytes: PIECE_BYTES });
  }
}
