import type { Counter, CounterState } from '../../store/counter-store.js';

/**
 * What alerts and conditions call used. Requests and running ones count when they are admitted; tokens and cost only once
 * they are settled: a hold is an upper bound, many times what will be used, and would cry wolf.
 */
export function usedOf(counter: Pick<Counter, 'of'>, state: Pick<CounterState, 'used' | 'held'>): bigint {
  return counter.of === 'requests' || counter.of === 'concurrent' ? state.used + state.held : state.used;
}

/** What is left for further requests, 0 or more. */
export function remainingOf(counter: Pick<Counter, 'max'>, state: Pick<CounterState, 'used' | 'held'>): bigint {
  const left = counter.max - state.used - state.held;
  return left > 0n ? left : 0n;
}
