export interface Expiring {
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Kept by the heap. */
  position: number;
}

/** What expires, the next one first. Adding in order of expiry, as with one lifetime for all, moves nothing. */
export class ExpiryHeap<Item extends Expiring> {
  readonly #items: Item[] = [];

  next(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** `item` must be in the heap. */
  remove(item: Item): void {
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    const { position } = item;
    this.#rise(last, position);
    if (last.position === position) this.#sink(last, position);
  }

  #rise(item: Item, from: number): void {
    let position = from;
    while (position > 0) {
      const above = (position - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || parent.expiresAt <= item.expiresAt) break;
      this.#put(parent, position);
      position = above;
    }
    this.#put(item, position);
  }

  #sink(item: Item, from: number): void {
    let position = from;
    for (;;) {
      const left = this.#items[2 * position + 1];
      const right = this.#items[2 * position + 2];
      const child = right !== undefined && left !== undefined && right.expiresAt < left.expiresAt ? right : left;
      if (child === undefined || child.expiresAt >= item.expiresAt) break;
      const below = child.position;
      this.#put(child, position);
      position = below;
    }
    this.#put(item, position);
  }

  #put(item: Item, position: number): void {
    this.#items[position] = item;
    item.position = position;
  }
}
