/** Places of a new table; a power of two. */
const FIRST_PLACES = 64;

/** Spreads a text over 32 bits. */
function hashText(text: string): number {
  let hash = text.length;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash ^ (hash >>> 15);
}

/** Numbers that are given out in turn need no spreading. */
function hashNumber(number: number): number {
  return number | 0;
}

/**
 * A map of what lives for a moment: added, found a few times, taken out again, for every request.
 *
 * A `Map` makes itself a new table every few such rounds, and each table keeps pointing at the next one and at what was in it
 * then. Once one of them has grown old, V8's young collections take all that follow, and the requests in them, for alive: most of what a
 * request leaves behind then waits for the next full collection. Here taken places are emptied and the table stays: it only ever grows.
 */
export class LiveMap<K extends string | number, V> {
  readonly #hash: (key: K) => number;
  /** Open addressing, at most half full. */
  #keys: (K | undefined)[] = new Array<K | undefined>(FIRST_PLACES).fill(undefined);
  #values: (V | undefined)[] = new Array<V | undefined>(FIRST_PLACES).fill(undefined);
  #size = 0;

  private constructor(hash: (key: K) => number) {
    this.#hash = hash;
  }

  static byText<V>(): LiveMap<string, V> {
    return new LiveMap<string, V>(hashText);
  }

  /** @returns a map for numbers that are given out in turn, such as those of streams */
  static byNumber<V>(): LiveMap<number, V> {
    return new LiveMap<number, V>(hashNumber);
  }

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    return this.#values[this.#place(key)];
  }

  has(key: K): boolean {
    return this.#keys[this.#place(key)] !== undefined;
  }

  set(key: K, value: V): void {
    let place = this.#place(key);
    if (this.#keys[place] === undefined) {
      if (2 * (this.#size + 1) > this.#keys.length) {
        this.#grow();
        place = this.#place(key);
      }
      this.#size += 1;
      this.#keys[place] = key;
    }
    this.#values[place] = value;
  }

  /** @returns whether it was there */
  delete(key: K): boolean {
    const place = this.#place(key);
    if (this.#keys[place] === undefined) return false;
    this.#empty(place);
    this.#size -= 1;
    return true;
  }

  /** In no order; a list of its own, which may be gone through while the map changes. */
  entries(): [K, V][] {
    const found: [K, V][] = [];
    for (const [place, key] of this.#keys.entries()) {
      const value = this.#values[place];
      if (key !== undefined && value !== undefined) found.push([key, value]);
    }
    return found;
  }

  /** As `entries`. */
  values(): V[] {
    return this.entries().map(([, value]) => value);
  }

  /** Where the key is, or where it would go. */
  #place(key: K): number {
    const last = this.#keys.length - 1;
    let place = this.#hash(key) & last;
    for (;;) {
      const there = this.#keys[place];
      if (there === undefined || there === key) return place;
      place = (place + 1) & last;
    }
  }

  /** What was pushed on by the key that was here moves up, so that no search ends too early. */
  #empty(from: number): void {
    const last = this.#keys.length - 1;
    let hole = from;
    for (let place = (hole + 1) & last; ; place = (place + 1) & last) {
      const key = this.#keys[place];
      if (key === undefined) break;
      const pushed = (place - this.#hash(key)) & last;
      if (pushed < ((place - hole) & last)) continue;
      this.#keys[hole] = key;
      this.#values[hole] = this.#values[place];
      hole = place;
    }
    this.#keys[hole] = undefined;
    this.#values[hole] = undefined;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Array<K | undefined>(2 * keys.length).fill(undefined);
    this.#values = new Array<V | undefined>(2 * keys.length).fill(undefined);
    for (const [old, key] of keys.entries()) {
      if (key === undefined) continue;
      const place = this.#place(key);
      this.#keys[place] = key;
      this.#values[place] = values[old];
    }
  }
}
