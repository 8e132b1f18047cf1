import { LRUCache } from 'lru-cache';
import { SeenCounters } from './seen-counters.js';
import type { Told } from './thresholds.js';

/** What outlives a change of configuration: one for all limiters of a process. */
export interface LimiterMemory {
  readonly told: Told;
  readonly seen: SeenCounters;
}

const MOST_COUNTERS = 10_000;
/** A counter has a few shares. */
const MOST_TOLD = 50_000;

export function createLimiterMemory(): LimiterMemory {
  return { told: new LRUCache<string, true>({ max: MOST_TOLD }), seen: new SeenCounters(MOST_COUNTERS) };
}
