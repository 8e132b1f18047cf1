import { ID_WORDS, readWords, wordsText } from '../id-words.js';
import { LiveMap } from '../live-map.js';
import type { LiveCounter } from './live-counter.js';

/** A hold that has been settled or has expired, remembered so that a late repetition counts nothing. */
export interface FinishedHold {
  readonly id: string;
  readonly counters: readonly LiveCounter[];
  /** Epoch milliseconds. */
  readonly until: number;
}

const FIRST_PLACES = 1024;
const NONE: readonly LiveCounter[] = [];

/**
 * Finished holds by id and in the order in which they are forgotten. There are as many as requests come in a minute: no object for each,
 * and of ids that are UUIDs, as all of Envoy's are, only the bits.
 */
export class FinishedHolds {
  /** A ring of as many places as there are; the oldest one is at `#first`. */
  #ids = new Uint32Array(ID_WORDS * FIRST_PLACES);
  #untils = new Float64Array(FIRST_PLACES);
  #counters: (readonly LiveCounter[])[] = new Array<readonly LiveCounter[]>(FIRST_PLACES).fill(NONE);
  #first = 0;
  #size = 0;
  /** Ids of another form, by place; what `#ids` has of them is the same for all of one length. */
  readonly #texts = LiveMap.byNumber<string>();
  /** Open addressing, a quarter to a half full: 1 + the place of an id in the ring; 0 = none. */
  #table = new Uint32Array(2 * FIRST_PLACES);
  /** What is looked for. */
  readonly #wanted = new Uint32Array(ID_WORDS);

  /** `until` is never earlier than of those before. */
  add(id: string, counters: readonly LiveCounter[], until: number): void {
    if (this.#size === this.#untils.length) this.#grow();
    const place = (this.#first + this.#size) & (this.#untils.length - 1);
    if (!readWords(id, this.#ids, ID_WORDS * place)) {
      this.#ids.set(otherWords(id), ID_WORDS * place);
      this.#texts.set(place, id);
    }
    this.#untils[place] = until;
    this.#counters[place] = counters;
    this.#size += 1;
    this.#enter(place);
  }

  countersOf(id: string): readonly LiveCounter[] | undefined {
    const isOther = !readWords(id, this.#wanted, 0);
    if (isOther) this.#wanted.set(otherWords(id));
    const table = this.#table;
    const last = table.length - 1;
    for (let slot = hashOf(this.#wanted, 0) & last; ; slot = (slot + 1) & last) {
      const place = (table[slot] ?? 0) - 1;
      if (place < 0) return undefined;
      if (this.#isWanted(place) && this.#textOf(place) === (isOther ? id : undefined)) return this.#counters[place];
    }
  }

  /** When the next one is to be forgotten; infinity when there is none. */
  get next(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#untils[this.#first] ?? 0);
  }

  /** Takes out the next one; there must be one. */
  take(): readonly LiveCounter[] {
    const place = this.#first;
    const counters = this.#counters[place] ?? NONE;
    this.#leave(place);
    this.#counters[place] = NONE;
    if (this.#texts.size > 0) this.#texts.delete(place);
    this.#first = (place + 1) & (this.#untils.length - 1);
    this.#size -= 1;
    return counters;
  }

  /** The next one to be forgotten first. */
  *all(): Iterable<FinishedHold> {
    for (let at = 0; at < this.#size; at += 1) {
      const place = (this.#first + at) & (this.#untils.length - 1);
      const id = this.#textOf(place) ?? wordsText(this.#ids, ID_WORDS * place);
      yield { id, counters: this.#counters[place] ?? NONE, until: this.#untils[place] ?? 0 };
    }
  }

  #textOf(place: number): string | undefined {
    return this.#texts.size === 0 ? undefined : this.#texts.get(place);
  }

  #isWanted(place: number): boolean {
    const [ids, wanted] = [this.#ids, this.#wanted];
    const at = ID_WORDS * place;
    return ids[at] === wanted[0] && ids[at + 1] === wanted[1] && ids[at + 2] === wanted[2] && ids[at + 3] === wanted[3];
  }

  #enter(place: number): void {
    const table = this.#table;
    const last = table.length - 1;
    let slot = hashOf(this.#ids, ID_WORDS * place) & last;
    while (table[slot] !== 0) slot = (slot + 1) & last;
    table[slot] = place + 1;
  }

  /** What was pushed on by the one that was here moves up, so that no search ends too early. */
  #leave(place: number): void {
    const table = this.#table;
    const last = table.length - 1;
    let hole = hashOf(this.#ids, ID_WORDS * place) & last;
    while (table[hole] !== place + 1) hole = (hole + 1) & last;
    for (let slot = (hole + 1) & last; ; slot = (slot + 1) & last) {
      const there = table[slot] ?? 0;
      if (there === 0) break;
      const wanted = hashOf(this.#ids, ID_WORDS * (there - 1));
      if (((slot - wanted) & last) < ((slot - hole) & last)) continue;
      table[hole] = there;
      hole = slot;
    }
    table[hole] = 0;
  }

  /** To twice as many places, the oldest one first. Only when all are taken. */
  #grow(): void {
    const [ids, untils, counters, first, size] = [this.#ids, this.#untils, this.#counters, this.#first, this.#size];
    this.#ids = new Uint32Array(2 * ids.length);
    this.#ids.set(ids.subarray(ID_WORDS * first));
    this.#ids.set(ids.subarray(0, ID_WORDS * first), ID_WORDS * (size - first));
    this.#untils = new Float64Array(2 * size);
    this.#untils.set(untils.subarray(first));
    this.#untils.set(untils.subarray(0, first), size - first);
    const none = new Array<readonly LiveCounter[]>(size).fill(NONE);
    this.#counters = counters.slice(first).concat(counters.slice(0, first), none);
    this.#first = 0;
    const texts = this.#texts.entries();
    for (const [place] of texts) this.#texts.delete(place);
    for (const [place, text] of texts) this.#texts.set((place - first) & (size - 1), text);
    this.#table = new Uint32Array(2 * this.#table.length);
    for (let place = 0; place < size; place += 1) this.#enter(place);
  }
}

/** Spreads ids that are given out in turn, too. The end of MurmurHash3: https://github.com/aappleby/smhasher */
function hashOf(ids: Uint32Array, at: number): number {
  let hash = (ids[at] ?? 0) ^ Math.imul(ids[at + 1] ?? 0, 0x9e3779b1);
  hash = Math.imul(hash ^ (ids[at + 2] ?? 0) ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (ids[at + 3] ?? 0) ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Stands in the place of the bits of a text that is no UUID; the text itself decides. */
function otherWords(id: string): readonly number[] {
  const words = [id.length, 0, 0, 0];
  for (let at = 0; at < id.length; at += 1)
    words[1 + (at % 3)] = Math.imul(words[1 + (at % 3)] ?? 0, 31) + id.charCodeAt(at);
  return words;
}

/** The counters of these items, as the list that a hold before had if it had the same ones. */
export function countersOf(items: readonly { readonly counter: LiveCounter }[]): readonly LiveCounter[] {
  const first = items[0]?.counter;
  if (first === undefined) return NONE;
  const { together } = first;
  if (together.length === items.length && items.every(({ counter }, at) => counter === together[at])) return together;
  first.together = items.map(({ counter }) => counter);
  return first.together;
}
