import type {
  Amounts,
  Counter,
  CounterState,
  CounterStore,
  HoldRequest,
  HoldResult,
  ReadResult,
  Seed,
  SettleResult,
} from '../counter-store.js';
import { placeText, readPlace } from '../place.js';
import { CounterTable } from './counter-table.js';
import { type HoldItem, HoldTable } from './hold-table.js';

export interface MemoryCounterOptions {
  /** Epoch milliseconds. Steps back are ignored. */
  readonly now: () => number;
  /**
   * Counters kept at once, a million unless given. When so many have something used or held in windows that last, a hold
   * that needs one more is `unavailable`: forgetting one of them would give its limit out a second time.
   */
  readonly maxCounters?: number;
}

/** Everything a store knows, as lines of JSON, so that neither end has to hold it in one piece. */
export interface PortableCounters extends CounterStore {
  exportState(): Iterable<string>;
  /** Into a new store only. Throws an Error if a line is not of `exportState`; then nothing was changed. */
  importState(lines: Iterable<string>): void;
}

type StateLine =
  | { readonly kind: 'store'; readonly last: number; readonly sources: readonly string[] }
  | { readonly kind: 'used'; readonly place: string; readonly sum: string }
  | {
      readonly kind: 'hold';
      readonly id: string;
      readonly expiresAt: number;
      readonly places: readonly (readonly [place: string, amount: string])[];
    }
  | { readonly kind: 'finished'; readonly id: string; readonly until: number; readonly places: readonly string[] };

/** Counters in this process: exact, gone with it (`Seed` and `PortableCounters` bring them back). Never waits. */
export function createMemoryCounters(options: MemoryCounterOptions): PortableCounters {
  return new MemoryCounters(options);
}

class MemoryCounters implements PortableCounters {
  readonly #clock: () => number;
  readonly #counters: CounterTable;
  readonly #holds = new HoldTable();
  readonly #sources = new Set<string>();
  #last = 0;

  constructor({ now, maxCounters = 1_000_000 }: MemoryCounterOptions) {
    this.#clock = now;
    this.#counters = new CounterTable(maxCounters);
  }

  hold(request: HoldRequest, done: (result: HoldResult) => void): void {
    done(this.#hold(request));
  }

  settle(id: string, actual: Amounts, done: (result: SettleResult) => void): void {
    done(this.#settle(id, actual));
  }

  read(counters: readonly Counter[], done: (result: ReadResult) => void): void {
    const now = this.#advance();
    const states = counters.map((counter): CounterState => this.#counters.peek(counter, now).state(now));
    done({ kind: 'read', states });
  }

  seed({ source, used, holds }: Seed, done: (error: Error | null) => void): void {
    const now = this.#advance();
    if (!this.#sources.has(source)) {
      this.#sources.add(source);
      for (const [place, sum] of used) this.#use(place, sum, now);
      for (const [id, { places, ttlMs }] of holds) this.#restore(id, { places, expiresAt: now + ttlMs, now });
    }
    done(null);
  }

  *exportState(): Iterable<string> {
    const line = (value: StateLine): string => JSON.stringify(value);
    yield line({ kind: 'store', last: this.#last, sources: [...this.#sources] });
    for (const counter of this.#counters.values()) {
      counter.advance(this.#last);
      for (const [start, used] of counter.settled())
        if (used > 0n) yield line({ kind: 'used', place: placeText(counter.key, start), sum: String(used) });
    }
    for (const { id, expiresAt, items } of this.#holds.open()) {
      const places = items.map(
        ({ counter, start, amount }) => [placeText(counter.key, start), String(amount)] as const,
      );
      yield line({ kind: 'hold', id, expiresAt, places });
    }
    for (const { id, counters, until } of this.#holds.finished())
      yield line({ kind: 'finished', id, until, places: counters.map(({ key, start }) => placeText(key, start)) });
  }

  importState(lines: Iterable<string>): void {
    for (const line of Array.from(lines, parseLine)) this.#import(line);
  }

  #hold({ id, counters, amounts, ttlMs }: HoldRequest): HoldResult {
    const now = this.#advance();
    const known = this.#holds.states(id, now);
    if (known !== null) return { kind: 'held', states: known };
    if (!this.#counters.hasRoom(counters, now))
      return { kind: 'unavailable', error: new Error('too many counters in use') };
    const exceeded: number[] = [];
    const items = counters.map((asked, index): HoldItem => {
      const counter = this.#counters.open(asked, now);
      const amount = asked.of === 'concurrent' ? 1 : amounts[asked.of];
      // What costs nothing passes even where more was used than allowed.
      if (asked.enforced && amount > 0 && counter.passes(amount, asked.max)) exceeded.push(index);
      return { counter, start: counter.start, amount };
    });
    if (exceeded.length === 0) this.#holds.add(id, items, now + ttlMs);
    const states = statesOf(items, now);
    return exceeded.length === 0 ? { kind: 'held', states } : { kind: 'refused', states, exceeded };
  }

  #settle(id: string, actual: Amounts): SettleResult {
    const now = this.#advance();
    const hold = this.#holds.settle(id, actual, now);
    if (hold === undefined) return { kind: 'unknown' };
    return { kind: 'settled', states: statesOf(hold.items, now) };
  }

  #import(line: StateLine): void {
    const now = this.#last;
    if (line.kind === 'store') {
      this.#last = Math.max(this.#last, line.last);
      for (const source of line.sources) this.#sources.add(source);
    } else if (line.kind === 'used') this.#use(line.place, BigInt(line.sum), now);
    else if (line.kind === 'hold') this.#restore(line.id, { places: line.places, expiresAt: line.expiresAt, now });
    else if (line.kind === 'finished') {
      const counters = line.places.flatMap((place) => this.#at(place, now)?.counter ?? []);
      this.#holds.remember({ id: line.id, counters, until: line.until });
    }
  }

  #advance(): number {
    this.#last = Math.max(this.#last, this.#clock());
    this.#holds.advance(this.#last);
    this.#counters.tidy(this.#last);
    return this.#last;
  }

  #at(text: string, now: number): Omit<HoldItem, 'amount'> | null {
    const place = readPlace(text);
    if (place === null) return null;
    const counter = this.#counters.open(place, now);
    return { counter, start: place.start };
  }

  #use(place: string, sum: bigint, now: number): void {
    const found = this.#at(place, now);
    found?.counter.restore(found.start, sum);
  }

  #restore(
    id: string,
    hold: {
      readonly places: Iterable<readonly [place: string, amount: number | string]>;
      readonly expiresAt: number;
      readonly now: number;
    },
  ): void {
    if (this.#holds.states(id, hold.now) !== null) return;
    const items: HoldItem[] = [];
    for (const [place, amount] of hold.places) {
      const found = this.#at(place, hold.now);
      if (found !== null) items.push({ ...found, amount: Number(amount) });
    }
    this.#holds.add(id, items, hold.expiresAt);
  }
}

function statesOf(items: readonly HoldItem[], now: number): readonly CounterState[] {
  return items.map(({ counter }) => counter.state(now));
}

function parseLine(text: string): StateLine {
  const line: StateLine = JSON.parse(text);
  if (!['store', 'used', 'hold', 'finished'].includes(line.kind)) throw new Error('not a line of a counter store');
  return line;
}
