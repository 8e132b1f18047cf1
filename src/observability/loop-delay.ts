import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Sample } from './labelled.js';

/**
 * Milliseconds between two looks at the clock, by a timer outside JavaScript. Each look wakes a process that may have nothing to do, which
 * costs 30 to 60 µs: every 10 ms would be most of what an idle service needs. What holds the loop up for less may fall between two looks,
 * as often as a request would.
 */
export const RESOLUTION_MS = 100;
/** How they are called in metrics; 1 is the longest. */
const QUANTILES = [0.5, 0.99, 1] as const;
const NANOSECONDS = 1e9;

export interface LoopDelay {
  /** Seconds that the event loop came late, by quantile, since it was read before. */
  read(): readonly Sample[];
  stop(): void;
}

/** Watches how late the event loop of this thread is: everything that holds it up holds up every request. */
export function watchLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    read() {
      const samples = QUANTILES.map((quantile): Sample => {
        const between = histogram.count === 0 ? 0 : histogram.percentile(quantile * 100);
        return [String(quantile), Math.max(0, between - RESOLUTION_MS * 1e6) / NANOSECONDS];
      });
      histogram.reset();
      return samples;
    },
    stop: () => void histogram.disable(),
  };
}
