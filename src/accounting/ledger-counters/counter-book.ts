import type { Seed } from '../../store/counter-store.js';
import { LiveMap } from '../../store/live-map.js';
import { ExactSum } from '../../store/memory/exact-sum.js';
import { amountsOf } from '../amounts.js';
import type { FinalEntry, HoldEntry, LedgerEntry } from '../ledger/entry.js';
import { type PlaceLife, placeLife } from './place-life.js';
import { RecentIds } from './recent-ids.js';

/** A hold without its final entry. */
export interface OpenPlaces {
  readonly places: Readonly<Record<string, number>>;
  /** Epoch milliseconds. */
  readonly expires: number;
}

/** An expired hold stays a hold for this long, so that recovery can still settle it with what was really used. */
const GRACE_MS = 60_000;
/** Ids of settled requests that are remembered: a second final entry follows its first one soon. */
const REMEMBERED = 100_000;

/** Of boots that are not in the ledger any more: their sums cannot be read again. */
const REMOVED = '';

/** What was settled in one place. */
interface PlaceSum extends PlaceLife {
  readonly sum: ExactSum;
}

/** By place. */
type Sums = Map<string, PlaceSum>;

/** A book as it was at one moment. */
export interface FrozenBook {
  /** Boot → place → sum. */
  readonly used: ReadonlyMap<string, ReadonlyMap<string, Pick<PlaceSum, 'sum'>>>;
  /** By request. */
  readonly holds: readonly (readonly [string, OpenPlaces])[];
}

/** The counters as the ledger tells them: entries go in, in any order of boots; a seed for a counter store comes out. */
export class CounterBook {
  /** By the boot in which the final entries are. */
  readonly #used = new Map<string, Sums>();
  /** What comes while the book is frozen; null = it is not. */
  #usedLater: Map<string, Sums> | null = null;
  #holds = LiveMap.byText<OpenPlaces>();
  readonly #settled = new RecentIds(REMEMBERED);

  /** Entries without `limits` change nothing. `now`, epoch milliseconds: windows that ended before are not kept. */
  add(entry: LedgerEntry, boot: string, now: number): void {
    if (entry.type === 'hold') this.#hold(entry);
    else this.#settle(entry, boot, now);
  }

  get hasHolds(): boolean {
    return this.#holds.size > 0;
  }

  /** Whether an entry without places of its own is about some all the same. */
  holds(id: string): boolean {
    return this.#holds.has(id);
  }

  addUsed(boot: string, place: string, amount: bigint): void {
    sumIn(this.#sumsOf(boot), place).addLarge(amount);
  }

  addHold(id: string, hold: OpenPlaces): void {
    this.#holds.set(id, hold);
  }

  /** Puts together what was read in boots that are gone. Not while it is frozen. */
  mergeRemoved(present: ReadonlySet<string>): void {
    for (const [boot, sums] of this.#used) {
      if (boot === REMOVED || present.has(boot)) continue;
      this.#used.delete(boot);
      addAll(this.#sumsOf(REMOVED), sums);
    }
  }

  /** Forgets all that the ledger can tell again. Not while it is frozen. */
  keepRemoved(present: ReadonlySet<string>): void {
    this.mergeRemoved(present);
    for (const boot of this.#used.keys()) if (boot !== REMOVED) this.#used.delete(boot);
    this.#holds = LiveMap.byText();
  }

  /** The book as it is now, to be read until `thaw`, whatever is added meanwhile. */
  freeze(): FrozenBook {
    this.#usedLater = new Map();
    return { used: this.#used, holds: this.#holds.entries() };
  }

  thaw(): void {
    const later = this.#usedLater ?? new Map<string, Sums>();
    this.#usedLater = null;
    for (const [boot, sums] of later) addAll(this.#sumsOf(boot), sums);
  }

  /**
   * What a store needs to go on. Windows that have ended are forgotten.
   *
   * @param source name of the ledger
   */
  seed(source: string, now: number): Seed {
    this.prune(now);
    const holds = new Map<string, { readonly places: ReadonlyMap<string, number>; readonly ttlMs: number }>();
    for (const [id, { places, expires }] of this.#holds.entries()) {
      holds.set(id, { places: new Map(Object.entries(places)), ttlMs: Math.max(expires - now, GRACE_MS) });
    }
    return { source, used: this.#sum(), holds };
  }

  /** What it takes out while the book is frozen matters to nobody any more. */
  prune(now: number): void {
    for (const [boot, sums] of this.#used) {
      for (const [place, { endsAt }] of sums) if (endsAt <= now) sums.delete(place);
      if (sums.size === 0) this.#used.delete(boot);
    }
    for (const [id, hold] of this.#holds.entries()) if (isOver(hold, now)) this.#holds.delete(id);
  }

  #sum(): Map<string, bigint> {
    const all = new Map<string, bigint>();
    for (const sums of [...this.#used.values(), ...(this.#usedLater?.values() ?? [])]) {
      for (const [place, { sum }] of sums) all.set(place, (all.get(place) ?? 0n) + sum.value);
    }
    return all;
  }

  #sumsOf(boot: string): Sums {
    const used = this.#usedLater ?? this.#used;
    let sums = used.get(boot);
    if (sums === undefined) {
      sums = new Map();
      used.set(boot, sums);
    }
    return sums;
  }

  #hold(entry: HoldEntry): void {
    // A final entry may have been read first: two processes write at the same time.
    if (!entry.limits || this.#settled.has(entry.id)) return;
    this.#holds.set(entry.id, { places: entry.limits, expires: entry.expires });
  }

  /** Of several final entries of one request the first counts. */
  #settle(entry: FinalEntry, boot: string, now: number): void {
    const hold = this.#holds.take(entry.id);
    const places = entry.limits ?? (hold ? Object.keys(hold.places) : []);
    if (places.length === 0 || !this.#settled.add(entry.id)) return;
    const amounts = amountsOf(entry);
    const sums = this.#sumsOf(boot);
    for (const place of places) {
      const known = sums.get(place);
      const { of, endsAt } = known ?? placeLife(place);
      if (of === null || of === 'concurrent' || endsAt <= now) continue;
      const amount = amounts[of];
      if (amount > 0 && Number.isFinite(amount)) (known?.sum ?? sumIn(sums, place)).add(Math.round(amount));
    }
  }
}

function sumIn(sums: Sums, place: string): ExactSum {
  const known = sums.get(place);
  if (known) return known.sum;
  const begun = { ...placeLife(place), sum: new ExactSum() };
  sums.set(place, begun);
  return begun.sum;
}

function addAll(to: Sums, sums: Sums): void {
  for (const [place, { sum }] of sums) sumIn(to, place).addLarge(sum.value);
}

/** Nobody settles it any more, and no window that it was made in matters. A place on the gateway it has long lost. */
function isOver({ places, expires }: OpenPlaces, now: number): boolean {
  if (expires + GRACE_MS > now) return false;
  return Object.keys(places).every((place) => {
    const { of, endsAt } = placeLife(place);
    return of === 'concurrent' || endsAt <= now;
  });
}
