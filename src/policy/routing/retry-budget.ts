import { LRUCache } from 'lru-cache';

/**
 * Keeps an outage from multiplying traffic: extra attempts (all but a request's first) are at most a share of the
 * requests of the same model in the last minute. Times are epoch milliseconds.
 */
export interface RetryBudget {
  /**
   * May one more extra attempt be made now? Counts nothing: call `attempt` in the same turn when it is made.
   * @param share 0 to 1; 0 = never, not even the floor; null = no bound
   */
  allows(model: string, share: number | null, now: number): boolean;
  /** A request of this model was admitted. */
  request(model: string, now: number): void;
  /** An extra attempt is made. */
  attempt(model: string, now: number): void;
}

export interface RetryBudgetOptions {
  /** Extra attempts per window that every model has, so that little traffic can be retried too. */
  readonly floor: number;
  /** Models remembered; the least recently used one starts anew. */
  readonly mostModels: number;
}

const BUCKET_MS = 10_000;
const BUCKETS = 6;
/**
 * One more than the window. Requests are counted in the last six (at most the last 60 s), extra attempts in all seven
 * (at least the last 60 s): so the bound holds for every minute, wherever it begins.
 */
const SLOTS = BUCKETS + 1;

interface Counts {
  /** Number of the newest bucket since the epoch. */
  bucket: number;
  readonly requests: Uint32Array;
  readonly attempts: Uint32Array;
}

/** At most max(floor, share × requests) extra attempts in any 60 s that end with one. */
export function createRetryBudget(options: Partial<RetryBudgetOptions> = {}): RetryBudget {
  const { floor = 3, mostModels = 1_000 } = options;
  const models = new LRUCache<string, Counts>({ max: mostModels });
  const countsOf = (model: string, now: number): Counts => {
    let counts = models.get(model);
    if (counts === undefined) {
      counts = { bucket: 0, requests: new Uint32Array(SLOTS), attempts: new Uint32Array(SLOTS) };
      models.set(model, counts);
    }
    advance(counts, Math.floor(now / BUCKET_MS));
    return counts;
  };
  return {
    allows(model, share, now) {
      if (share === null || share <= 0) return share === null;
      const { bucket, requests, attempts } = countsOf(model, now);
      const oldest = (bucket + 1) % SLOTS;
      const requested = sum(requests) - (requests[oldest] ?? 0);
      return sum(attempts) + 1 <= Math.max(floor, share * requested);
    },
    request: (model, now) => increment(countsOf(model, now), 'requests'),
    attempt: (model, now) => increment(countsOf(model, now), 'attempts'),
  };
}

/** Empties the buckets between the newest one and now. A clock that goes back counts in the newest one. */
function advance(counts: Counts, bucket: number): void {
  const steps = Math.min(bucket - counts.bucket, SLOTS);
  for (let step = 0; step < steps; step += 1) {
    const slot = (bucket - step) % SLOTS;
    counts.requests[slot] = 0;
    counts.attempts[slot] = 0;
  }
  counts.bucket = Math.max(counts.bucket, bucket);
}

function increment(counts: Counts, kind: 'requests' | 'attempts'): void {
  const slot = counts.bucket % SLOTS;
  counts[kind][slot] = (counts[kind][slot] ?? 0) + 1;
}

function sum(slots: Uint32Array): number {
  return slots.reduce((total, count) => total + count, 0);
}
