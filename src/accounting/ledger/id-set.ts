/**
 * Remembers which ids were seen, at 16 bytes each instead of about 100 in a `Set`: a ledger may hold tens of millions. Ids are
 * kept as 64-bit hashes; two different ones collide with a chance of 1 in 10^6 among 5 million. Ids are made by us, so nobody
 * can craft a collision.
 */
export class IdSet {
  #slots = new Uint32Array(2 * 1024);
  #size = 0;

  /** True when the id is new. */
  add(id: string): boolean {
    const [high, low] = hashId(id);
    if (!insert(this.#slots, high, low)) return false;
    this.#size += 1;
    if (this.#size * 4 > this.#slots.length) this.#grow();
    return true;
  }

  has(id: string): boolean {
    const [high, low] = hashId(id);
    return slotOf(this.#slots, high, low) === null;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const high = old[at] ?? 0;
      const low = old[at + 1] ?? 0;
      if (high !== 0 || low !== 0) insert(slots, high, low);
    }
    this.#slots = slots;
  }
}

function insert(slots: Uint32Array, high: number, low: number): boolean {
  const slot = slotOf(slots, high, low);
  if (slot === null) return false;
  slots[2 * slot] = high;
  slots[2 * slot + 1] = low;
  return true;
}

/** Where it belongs among slots of two words, or null when it is there. Open addressing; an empty slot is two zeros. */
export function slotOf(slots: Uint32Array, high: number, low: number): number | null {
  const mask = slots.length / 2 - 1;
  for (let slot = low & mask; ; slot = (slot + 1) & mask) {
    const slotHigh = slots[2 * slot] ?? 0;
    const slotLow = slots[2 * slot + 1] ?? 0;
    if (slotHigh === high && slotLow === low) return null;
    if (slotHigh === 0 && slotLow === 0) return slot;
  }
}

/** Two 32-bit multiply-and-mix hashes with different constants. Never two zeros. */
export function hashId(id: string): readonly [number, number] {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let at = 0; at < id.length; at += 1) {
    const code = id.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    high ^= high >>> 15;
    low = Math.imul(low ^ code, 0x5bd1e995);
    low ^= low >>> 13;
  }
  return [finish(high), finish(low) || 1];
}

function finish(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
