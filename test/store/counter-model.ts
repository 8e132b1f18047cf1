import type { Amounts, Counter, CounterState } from '../../src/store/counter-store.js';

interface ModelItem {
  readonly counter: Counter;
  /** Start of its window or slot. */
  readonly start: number;
  readonly held: bigint;
  used: bigint;
}

interface ModelHold {
  readonly items: readonly ModelItem[];
  readonly expiresAt: number;
  open: boolean;
  finishedAt: number;
}

const DAY = 86_400_000;
const TOKYO = 9 * 3_600_000;

/** What a counter store answers, worked out from everything that ever happened. Slow and simple. */
export class CounterModel {
  readonly #holds = new Map<string, ModelHold>();
  readonly #seeded: ModelItem[] = [];
  readonly #sources = new Set<string>();

  hold(id: string, counters: readonly Counter[], how: { amounts: Amounts; ttlMs: number; now: number }): string {
    const { amounts, ttlMs, now } = how;
    this.#expire(now);
    const known = this.#holds.get(id);
    if (known !== undefined)
      return `held ${this.#show(
        known.items.map(({ counter }) => counter),
        now,
      )}`;
    const items = counters.map((counter) => {
      const held = counter.of === 'concurrent' ? 1n : BigInt(amounts[counter.of]);
      return { counter, start: startOf(counter, now), held, used: 0n };
    });
    const exceeded = items.filter(({ counter, held }) => {
      const [used, open] = this.#sums(counter, now);
      return counter.enforced && held > 0n && used + open + held > counter.max;
    });
    if (exceeded.length > 0) return `refused ${this.#show(counters, now)}`;
    this.#holds.set(id, { items, expiresAt: now + ttlMs, open: true, finishedAt: 0 });
    return `held ${this.#show(counters, now)}`;
  }

  settle(id: string, actual: Amounts, now: number): string {
    this.#expire(now);
    const hold = this.#holds.get(id);
    if (!hold?.open) return 'unknown';
    for (const item of hold.items) item.used = item.counter.of === 'concurrent' ? 0n : BigInt(actual[item.counter.of]);
    hold.open = false;
    hold.finishedAt = now;
    return `settled ${this.#show(
      hold.items.map(({ counter }) => counter),
      now,
    )}`;
  }

  read(counters: readonly Counter[], now: number): string {
    this.#expire(now);
    return `read ${this.#show(counters, now)}`;
  }

  seed(source: string, told: readonly { counter: Counter; at: number; used: bigint }[]): void {
    if (this.#sources.has(source)) return;
    this.#sources.add(source);
    for (const { counter, at, used } of told)
      this.#seeded.push({ counter, start: startOf(counter, at), held: 0n, used });
  }

  /** Stores forget how a hold ended when nobody can mean it any more. */
  isForgotten(id: string, now: number): boolean {
    this.#expire(now);
    const hold = this.#holds.get(id);
    return hold !== undefined && !hold.open && now >= hold.finishedAt + 60_000;
  }

  #expire(now: number): void {
    for (const hold of this.#holds.values()) {
      if (!hold.open || hold.expiresAt > now) continue;
      hold.open = false;
      hold.finishedAt = hold.expiresAt;
      for (const item of hold.items) item.used = item.counter.of === 'concurrent' ? 0n : item.held;
    }
  }

  #sums(counter: Counter, now: number): readonly [used: bigint, held: bigint] {
    let [used, held] = [0n, 0n];
    const counts = (item: ModelItem): boolean => item.counter.key === counter.key && isCounted(item, now);
    for (const item of this.#seeded) if (counts(item)) used += item.used;
    for (const { items, open } of this.#holds.values()) {
      for (const item of items) {
        if (!counts(item)) continue;
        if (open) held += item.held;
        else used += item.used;
      }
    }
    return [used, held];
  }

  #show(counters: readonly Counter[], now: number): string {
    return counters
      .map((counter) => `${counter.key}@${startOf(counter, now)} ${this.#sums(counter, now).join('/')}`)
      .join(', ');
  }
}

/** A store's answer in the words of the model. */
export function shown(result: { readonly kind: string; readonly states?: readonly CounterState[] }): string {
  const states = result.states?.map(({ place, used, held }) => `${place} ${used}/${held}`).join(', ');
  return states === undefined ? result.kind : `${result.kind} ${states}`;
}

/** Start of the window or slot at an instant; calendars are days in Tokyo, which has no summer time. */
export function startOf({ window }: Counter, now: number): number {
  if (window.kind === 'total') return 0;
  if (window.kind === 'calendar') return Math.floor((now + TOKYO) / DAY) * DAY - TOKYO;
  const length = window.sliding ? Math.ceil(window.ms / 60) : window.ms;
  return now - (now % length);
}

function isCounted({ counter, start }: ModelItem, now: number): boolean {
  const { window } = counter;
  if (window.kind !== 'duration' || !window.sliding) return start === startOf(counter, now);
  // Its last millisecond is younger than the window is long.
  return start + Math.ceil(window.ms / 60) - 1 > now - window.ms;
}
