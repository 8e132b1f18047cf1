import type {
  Amounts,
  Counter,
  CounterState,
  CounterStore,
  CounterWindow,
  Dimension,
  HoldRequest,
  HoldResult,
  ReadResult,
  Seed,
  SettleResult,
} from '../../src/store/counter-store.js';
import { windowText } from '../../src/store/windows/window-clock.js';

/** The store's calls as promises, with what most cases do not care about filled in. */
export interface Asking {
  readonly store: CounterStore;
  hold(id: string, counters: readonly Counter[], amounts?: Partial<Amounts> & { ttlMs?: number }): Promise<HoldResult>;
  settle(id: string, actual?: Partial<Amounts>): Promise<SettleResult>;
  read(...counters: readonly Counter[]): Promise<readonly CounterState[]>;
  seed(seed: Partial<Seed>): Promise<Error | null>;
}

export const NOTHING: Amounts = { requests: 0, input_tokens: 0, output_tokens: 0, tokens: 0, cost: 0 };

export const MINUTE: CounterWindow = { kind: 'duration', ms: 60_000, sliding: false };
export const ROLLING: CounterWindow = { kind: 'duration', ms: 60_000, sliding: true };
export const TOTAL: CounterWindow = { kind: 'total' };

export function calendar(unit: 'minute' | 'hour' | 'day' | 'week' | 'month', timeZone = 'UTC'): CounterWindow {
  return { kind: 'calendar', unit, timeZone };
}

/** A counter with a key as the limits make them. */
export function counter(of: Dimension, window: CounterWindow, max: number | bigint, partition = ''): Counter {
  return { key: `limit|${of}|${windowText(window)}|${partition}`, of, window, max: BigInt(max), enforced: true };
}

export function asking(store: CounterStore): Asking {
  return {
    store,
    hold: (id, counters, { ttlMs = 600_000, ...amounts } = {}) => {
      const request: HoldRequest = { id, counters, amounts: { ...NOTHING, requests: 1, ...amounts }, ttlMs };
      return new Promise((resolve) => store.hold(request, resolve));
    },
    settle: (id, actual = {}) =>
      new Promise((resolve) => store.settle(id, { ...NOTHING, requests: 1, ...actual }, resolve)),
    read: async (...counters) => {
      const result = await new Promise<ReadResult>((resolve) => store.read(counters, resolve));
      if (result.kind === 'unavailable') throw result.error;
      return result.states;
    },
    seed: (seed) =>
      new Promise((resolve) => store.seed({ source: 'ledger', used: new Map(), holds: new Map(), ...seed }, resolve)),
  };
}

/** `used/held` of each state, for short expectations. */
export function sums(result: { readonly states: readonly CounterState[] } | { readonly kind: string }): string {
  return 'states' in result ? result.states.map(({ used, held }) => `${used}/${held}`).join(' ') : result.kind;
}
