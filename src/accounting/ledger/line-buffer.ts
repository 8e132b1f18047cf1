import { longestLine, putLine } from './line.js';

/** Enough for the entries of a busy turn; more take memory of their own. */
const USUAL_BYTES = 64 * 1024;

/** The lines of one write, in memory that is used again. */
export class LineBuffer {
  readonly #usual = Buffer.allocUnsafeSlow(USUAL_BYTES);

  /** Valid until the next call. */
  fill(batch: readonly { readonly json: string }[]): Buffer {
    let needed = 0;
    for (const { json } of batch) needed += longestLine(json);
    const bytes = needed <= USUAL_BYTES ? this.#usual : Buffer.allocUnsafeSlow(needed);
    let end = 0;
    for (const { json } of batch) end = putLine(bytes, end, json);
    return bytes.subarray(0, end);
  }
}
