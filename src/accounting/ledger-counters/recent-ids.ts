import { hashId, slotOf } from '../ledger/id-set.js';

/**
 * Remembers at least the last `most` ids and at most twice as many, as an `IdSet` does, at 20 to 40 bytes for each of `most`: in two
 * generations, of which the older one is forgotten as a whole.
 */
export class RecentIds {
  readonly #most: number;
  #young: Uint32Array;
  #old: Uint32Array;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
    // At most half full; memory that nobody has written to yet costs nothing.
    const slots = 2 ** Math.ceil(Math.log2(2 * most));
    this.#young = new Uint32Array(2 * slots);
    this.#old = new Uint32Array(2 * slots);
  }

  has(id: string): boolean {
    const [high, low] = hashId(id);
    return slotOf(this.#young, high, low) === null || slotOf(this.#old, high, low) === null;
  }

  /** False when it is known. */
  add(id: string): boolean {
    const [high, low] = hashId(id);
    const slot = slotOf(this.#young, high, low);
    if (slot === null || slotOf(this.#old, high, low) === null) return false;
    this.#young[2 * slot] = high;
    this.#young[2 * slot + 1] = low;
    this.#count += 1;
    if (this.#count === this.#most) this.#age();
    return true;
  }

  #age(): void {
    [this.#young, this.#old] = [this.#old, this.#young];
    this.#young.fill(0);
    this.#count = 0;
  }
}
