import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { amountsOf } from '../accounting/amounts.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import { CHECKPOINT_FILE, LedgerCounters } from '../accounting/ledger-counters/ledger-counters.js';
import { ledgerId } from '../accounting/records/ledger-id.js';
import type { Snapshot } from '../config/snapshot.js';
import type { Log } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';
import { createLimiter } from '../policy/limits/create-limiter.js';
import type { Limiter, Threshold } from '../policy/limits/limiter.js';
import { createLimiterMemory } from '../policy/limits/limiter-memory.js';
import { NO_LIMITS } from '../policy/limits/no-limits.js';
import { RetryQueue, realLater, type Task } from '../policy/limits/retry-queue.js';
import type { CounterStore } from '../store/counter-store.js';
import { shareCounters } from '../store/handover/share-counters.js';
import { takeCounters } from '../store/handover/take-counters.js';
import { createMemoryCounters } from '../store/memory/memory-counters.js';
import { connectRedisCounters } from '../store/redis/redis-counters.js';

export interface LimitServiceOptions {
  readonly snapshot: Snapshot;
  readonly generation: number;
  /** Where the generations of one gateway find each other. */
  readonly runtimeDirectory: string;
  /** Name of this process's boot in the ledger. */
  readonly boot: string;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly onThreshold: (threshold: Threshold) => void;
  /** The counters cannot be asked any more, or can again. */
  readonly onStore: (isReachable: boolean) => void;
}

/** Where the counters are, and how they get their memory back. */
interface Home {
  readonly store: CounterStore;
  /** Living processes that share the counters, as last known. */
  processes(): number;
  /** Before the first request; `seed` tells the store what the ledger knows. */
  open(seed: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Settlements of other processes' requests that wait for the store. */
const MOST_WAITING = 10_000;

/** Counters of limits with what keeps them true over restarts. One for all snapshots. */
export class LimitService {
  readonly #options: LimitServiceOptions;
  readonly #home: Home;
  readonly #fallback = createMemoryCounters({ now: Date.now });
  readonly #memory = createLimiterMemory();
  readonly #counters: LedgerCounters;
  readonly #waiting: RetryQueue;
  /** Final entries that recovery wrote before the counters were there. */
  #early: FinalEntry[] | null = [];
  #isRead = false;
  #reachable = true;

  /** Opens what others may ask for; the counters themselves come with `open`. */
  static async create(options: LimitServiceOptions): Promise<LimitService> {
    const { store } = options.snapshot;
    let service: LimitService | null = null;
    const home =
      store.kind === 'memory' ? await memoryHome(options) : redisHome(options, store, () => void service?.reseed());
    service = new LimitService(options, home);
    return service;
  }

  private constructor(options: LimitServiceOptions, home: Home) {
    this.#options = options;
    this.#home = home;
    this.#counters = new LedgerCounters({
      directory: options.snapshot.ledger.directory,
      checkpointPath: join(options.snapshot.dataDirectory, CHECKPOINT_FILE),
      now: Date.now,
      own: options.boot,
      // A shared store hears of them from the processes that wrote them.
      ...(options.snapshot.store.kind === 'memory' ? { onFinal: (entry: FinalEntry) => this.ended(entry) } : {}),
      onProblem: (message, error) => options.log.failure(message, error),
    });
    const onLost = (): void => options.metrics.count('limit_settlements_lost');
    this.#waiting = new RetryQueue({ most: MOST_WAITING, later: realLater, onLost });
    options.metrics.watch('limit_store_reachable', () => (this.#reachable ? 1 : 0));
  }

  /** Fills the counters: after recovery has looked for what a crash left, before the first request. */
  async open(): Promise<void> {
    await this.#counters.open();
    this.#isRead = true;
    await this.#home.open(() => this.#seed());
    const early = this.#early ?? [];
    this.#early = null;
    for (const entry of early) this.ended(entry);
    this.#counters.start();
  }

  /** The store has lost its memory while we run. */
  async reseed(): Promise<void> {
    // `open` seeds anyway.
    if (!this.#isRead) return;
    try {
      await this.#counters.advance();
      await this.#seed();
    } catch (error) {
      this.#options.log.failure('the counters of limits could not be rebuilt from the ledger', error);
    }
  }

  limiterFor(snapshot: Snapshot): Limiter {
    if (snapshot.limits.length === 0) return NO_LIMITS;
    const { metrics, onThreshold } = this.#options;
    return createLimiter({
      rules: snapshot.limits,
      timeZone: snapshot.timeZone,
      store: this.#home.store,
      now: Date.now,
      fallback: { counters: this.#fallback, processes: () => this.#home.processes() },
      onThreshold,
      onShadowed: () => metrics.count('limits_shadowed'),
      onStore: (state) => this.#storeIs(state === 'reachable'),
      onOvershoot: () => metrics.count('limits_overshot'),
      onLost: () => metrics.count('limit_settlements_lost'),
      memory: this.#memory,
    });
  }

  /** A request of another process, or of one that died, has its final entry: its holds end with it, once the store can be told. */
  ended(entry: FinalEntry): void {
    if (entry.limits === undefined) return;
    if (this.#early) {
      this.#early.push(entry);
      return;
    }
    const { id } = entry;
    const amounts = amountsOf(entry);
    const task: Task = (done) => this.#home.store.settle(id, amounts, ({ kind }) => done(kind !== 'unavailable'));
    task((delivered) => {
      if (!delivered) this.#waiting.add(task);
    });
  }

  /** Troubles that requests may feel. */
  get troubles(): readonly string[] {
    return this.#reachable ? [] : ['the store of limits cannot be reached'];
  }

  /** After the ledger was closed: the checkpoint then has everything. */
  async close(): Promise<void> {
    await this.#counters.stop();
    await this.#home.close();
  }

  #storeIs(isReachable: boolean): void {
    if (this.#reachable === isReachable) return;
    this.#reachable = isReachable;
    if (isReachable) this.#waiting.wake();
    this.#options.onStore(isReachable);
  }

  #seed(): Promise<void> {
    const seed = this.#counters.seed(ledgerId(this.#options.snapshot.ledger.directory));
    return new Promise((resolve, reject) =>
      this.#home.store.seed(seed, (error) => (error === null ? resolve() : reject(error))),
    );
  }
}

const SOCKET = /^counters-(\d+)\.sock$/;

/** In this process, taken over from the generation before it, or rebuilt from the ledger when that one is gone. */
async function memoryHome({ runtimeDirectory, generation, log }: LimitServiceOptions): Promise<Home> {
  const memory = createMemoryCounters({ now: Date.now });
  const socketPath = join(runtimeDirectory, `counters-${generation}.sock`);
  const shared = await shareCounters({ store: memory, socketPath });
  const older = (): number[] =>
    readdirSync(runtimeDirectory)
      .map((name) => Number(SOCKET.exec(name)?.[1] ?? Number.NaN))
      .filter((number) => number < generation)
      .sort((one, other) => other - one);
  return {
    store: shared,
    processes: () => 1,
    async open(seed) {
      for (const number of older()) {
        const from = join(runtimeDirectory, `counters-${number}.sock`);
        const { kind } = await takeCounters({ from, store: memory, socketPath, seed });
        if (kind === 'failed') continue;
        log.write('info', 'counters of limits taken over', { generation: number });
        return;
      }
      await seed();
    },
    close: () => shared.close(),
  };
}

/** In Redis or Valkey, which may already know all, or nothing, or be away: requests find out. */
function redisHome(
  { boot, log, metrics }: LimitServiceOptions,
  settings: Extract<Snapshot['store'], { kind: 'redis' }>,
  onEmpty: () => void,
): Home {
  let isEmpty = false;
  let isOpen = false;
  const { cluster, prefix, timeoutMs } = settings;
  const store = connectRedisCounters({
    url: settings.url.reveal(),
    cluster,
    prefix,
    timeoutMs,
    processId: boot,
    onProblem(problem) {
      if (problem) log.failure('the store of limits cannot be reached', problem);
      else log.write('info', 'the store of limits can be reached');
    },
    onEmpty() {
      metrics.count('limit_store_seeds');
      isEmpty = true;
      if (isOpen) onEmpty();
    },
  });
  return {
    store,
    processes: () => store.processes(),
    async open(seed) {
      isOpen = true;
      // An unreachable store asks again once it is there.
      if (isEmpty) await seed().catch((error: unknown) => log.failure('the store of limits was not seeded', error));
    },
    close: () => store.close(),
  };
}
