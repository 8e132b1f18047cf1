import { join } from 'node:path';
import { amountsOf } from '../accounting/amounts.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import { CHECKPOINT_FILE, LedgerCounters } from '../accounting/ledger-counters/ledger-counters.js';
import type { Snapshot } from '../config/snapshot.js';
import type { Log } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';
import { createLimiter } from '../policy/limits/create-limiter.js';
import type { Limiter, Threshold } from '../policy/limits/limiter.js';
import { createLimiterMemory } from '../policy/limits/limiter-memory.js';
import { NO_LIMITS } from '../policy/limits/no-limits.js';
import type { CounterStore } from '../store/counter-store.js';
import { createMemoryCounters } from '../store/memory/memory-counters.js';

export interface LimitServiceOptions {
  readonly snapshot: Snapshot;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Name of this process's boot in the ledger. */
  readonly boot: string;
  readonly onThreshold: (threshold: Threshold) => void;
  readonly onStore: (state: 'reachable' | 'unreachable') => void;
}

/** Counters of this process with what keeps them true over restarts. One for all snapshots. */
export class LimitService {
  readonly #options: LimitServiceOptions;
  readonly #store: CounterStore;
  readonly #fallback = createMemoryCounters({ now: Date.now });
  readonly #memory = createLimiterMemory();
  readonly #counters: LedgerCounters;
  /** Final entries that recovery wrote before the counters were there. */
  #early: FinalEntry[] | null = [];

  constructor(options: LimitServiceOptions) {
    this.#options = options;
    this.#store = createMemoryCounters({ now: Date.now });
    this.#counters = new LedgerCounters({
      directory: options.snapshot.ledger.directory,
      checkpointPath: join(options.snapshot.dataDirectory, CHECKPOINT_FILE),
      now: Date.now,
      own: options.boot,
      onFinal: (entry) => this.ended(entry),
      onProblem: (message, error) => options.log.failure(message, error),
    });
  }

  /** Fills the counters from the ledger: after recovery has looked for what a crash left, before the first request. */
  async open(): Promise<void> {
    await this.#counters.open();
    const error = await new Promise<Error | null>((resolve) =>
      this.#store.seed(this.#counters.seed('ledger'), resolve),
    );
    if (error) throw error;
    const early = this.#early ?? [];
    this.#early = null;
    for (const entry of early) this.ended(entry);
    this.#counters.start();
  }

  limiterFor(snapshot: Snapshot): Limiter {
    if (snapshot.limits.length === 0) return NO_LIMITS;
    const { metrics, onThreshold, onStore } = this.#options;
    return createLimiter({
      rules: snapshot.limits,
      timeZone: snapshot.timeZone,
      store: this.#store,
      now: Date.now,
      fallback: { counters: this.#fallback, processes: () => 1 },
      onThreshold,
      onShadowed: () => metrics.count('limits_shadowed'),
      onStore,
      onOvershoot: () => metrics.count('limits_overshot'),
      onLost: () => metrics.count('limit_settlements_lost'),
      memory: this.#memory,
    });
  }

  /** A request of another process, or of one that died, has its final entry: its holds end with it. */
  ended(entry: FinalEntry): void {
    if (entry.limits === undefined) return;
    if (this.#early) this.#early.push(entry);
    else this.#store.settle(entry.id, amountsOf(entry), () => undefined);
  }

  /** After the ledger was closed: the checkpoint then has everything. */
  async close(): Promise<void> {
    await this.#counters.stop();
  }
}
