/** Places of a new table; a power of two. */
const FIRST_PLACES = 64;

/** Spreads a text over 32 bits; texts that are given out in turn, too, which would stand side by side by their sums alone. */
function hashText(text: string): number {
  let hash = text.length;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  // The end of MurmurHash3: https://github.com/aappleby/smhasher
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
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
  /** Of the keys: what stands in the way of another one is passed by or moved without a look at its text, which lies anywhere. */
  #hashes = new Int32Array(FIRST_PLACES);
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
    return this.#values[this.#place(key, this.#hash(key))];
  }

  has(key: K): boolean {
    return this.#keys[this.#place(key, this.#hash(key))] !== undefined;
  }

  set(key: K, value: V): void {
    const hash = this.#hash(key);
    let place = this.#place(key, hash);
    if (this.#keys[place] === undefined) {
      if (2 * (this.#size + 1) > this.#keys.length) {
        this.#grow();
        place = this.#place(key, hash);
      }
      this.#size += 1;
      this.#keys[place] = key;
      this.#hashes[place] = hash;
    }
    this.#values[place] = value;
  }

  /** @returns whether it was there */
  delete(key: K): boolean {
    return this.take(key) !== undefined;
  }

  /** Takes it out. */
  take(key: K): V | undefined {
    const place = this.#place(key, this.#hash(key));
    const value = this.#values[place];
    if (this.#keys[place] === undefined) return undefined;
    this.#empty(place);
    this.#size -= 1;
    return value;
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
  #place(key: K, hash: number): number {
    const keys = this.#keys;
    const hashes = this.#hashes;
    const last = keys.length - 1;
    for (let place = hash & last; ; place = (place + 1) & last) {
      const there = keys[place];
      if (there === undefined || (hashes[place] === hash && there === key)) return place;
    }
  }

  /** What was pushed on by the key that was here moves up, so that no search ends too early. */
  #empty(from: number): void {
    const keys = this.#keys;
    const values = this.#values;
    const hashes = this.#hashes;
    const last = keys.length - 1;
    let hole = from;
    for (let place = (hole + 1) & last; ; place = (place + 1) & last) {
      const key = keys[place];
      if (key === undefined) break;
      const hash = hashes[place] ?? 0;
      if (((place - hash) & last) < ((place - hole) & last)) continue;
      keys[hole] = key;
      values[hole] = values[place];
      hashes[hole] = hash;
      hole = place;
    }
    keys[hole] = undefined;
    values[hole] = undefined;
  }

  #grow(): void {
    const [keys, values, hashes] = [this.#keys, this.#values, this.#hashes];
    this.#keys = new Array<K | undefined>(2 * keys.length).fill(undefined);
    this.#values = new Array<V | undefined>(2 * keys.length).fill(undefined);
    this.#hashes = new Int32Array(2 * keys.length);
    for (const [old, key] of keys.entries()) {
      if (key === undefined) continue;
      const hash = hashes[old] ?? 0;
      const place = this.#place(key, hash);
      this.#keys[place] = key;
      this.#values[place] = values[old];
      this.#hashes[place] = hash;
    }
  }
}
