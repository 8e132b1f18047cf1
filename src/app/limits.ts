import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { amountsOf } from '../accounting/amounts.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import type { WrittenBoot } from '../accounting/ledger/ledger.js';
import type { IsMine } from '../accounting/ledger/share.js';
import { CHECKPOINT_FILE, CHECKPOINT_MS, LedgerCounters } from '../accounting/ledger-counters/ledger-counters.js';
import { ledgerId } from '../accounting/records/ledger-id.js';
import { unsentRequests } from '../accounting/recovery/unsent-requests.js';
import type { Snapshot } from '../config/snapshot.js';
import { standardPaths } from '../envoy/options.js';
import type { Log } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';
import { NO_AMOUNTS } from '../policy/limits/amounts.js';
import { createLimiter } from '../policy/limits/create-limiter.js';
import type { Limiter, Threshold } from '../policy/limits/limiter.js';
import { createLimiterMemory } from '../policy/limits/limiter-memory.js';
import { NO_LIMITS } from '../policy/limits/no-limits.js';
import { RetryQueue, realLater, type Task } from '../policy/limits/retry-queue.js';
import type { Amounts, CounterStore } from '../store/counter-store.js';
import { shareCounters } from '../store/handover/share-counters.js';
import { takeCounters } from '../store/handover/take-counters.js';
import { createMemoryCounters } from '../store/memory/memory-counters.js';
import { nameOf, type WorkerPlace } from './workers/worker-place.js';

export interface LimitServiceOptions {
  readonly snapshot: Snapshot;
  readonly generation: number;
  readonly worker: WorkerPlace;
  /** What of the ledger this process has to count. */
  readonly isMine: IsMine;
  /** Where the generations of one gateway find each other. */
  readonly runtimeDirectory: string;
  /** What this process writes, nothing of it yet. */
  readonly ledger: WrittenBoot;
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
/** No hold is open for longer. */
const REPLAYED_MS = 2 * 3_600_000;

/** Who tells that the store cannot be reached: its connection also does while nobody asks. */
type Witness = 'connection' | 'requests';

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
  /** What a process that ended may not have told a shared store any more. */
  #replayed: FinalEntry[] = [];
  #backAt = Number.NEGATIVE_INFINITY;
  /** Who finds the store away now. */
  readonly #lost = new Set<Witness>();

  /** Opens what others may ask for; the counters themselves come with `open`. */
  static async create(options: LimitServiceOptions): Promise<LimitService> {
    const { store } = options.snapshot;
    let service: LimitService | null = null;
    const home =
      store.kind === 'memory'
        ? await memoryHome(options)
        : await redisHome(options, store, {
            onEmpty: () => void service?.reseed(),
            onConnection: (isReachable) => service?.storeIs(isReachable, 'connection'),
          });
    service = new LimitService(options, home);
    return service;
  }

  private constructor(options: LimitServiceOptions, home: Home) {
    this.#options = options;
    this.#home = home;
    this.#counters = new LedgerCounters({
      directory: options.snapshot.ledger.directory,
      checkpointPath: join(options.snapshot.dataDirectory, nameOf(CHECKPOINT_FILE, options.worker)),
      isMine: options.isMine,
      now: Date.now,
      own: options.ledger,
      onFinal: (entry) => this.ended(entry),
      // A shared store hears of them from the processes that wrote them, as far as these lived to tell.
      ...(options.snapshot.store.kind === 'memory'
        ? {}
        : { onReplayed: (entry: FinalEntry) => this.#replay(entry), isDelivered: () => this.#isDelivered() }),
      onProblem: (message, error) => options.log.failure(message, error),
    });
    const onLost = (): void => options.metrics.count('limit_settlements_lost');
    this.#waiting = new RetryQueue({ most: MOST_WAITING, later: realLater, onLost });
    options.metrics.watch('limit_store_reachable', () => (this.#lost.size === 0 ? 1 : 0));
  }

  /** Fills the counters: after recovery has looked for what a crash left, before the first request. */
  async open(): Promise<void> {
    await this.#counters.open();
    this.#isRead = true;
    await this.#home.open(() => this.#seed());
    const early = this.#early ?? [];
    this.#early = null;
    for (const entry of early) this.ended(entry);
    if (this.#options.snapshot.store.kind !== 'memory') await this.#tellAgain();
    this.#counters.start();
  }

  /** A process that died may have left holds in a shared store, for requests that have ended and for some that never left. */
  async #tellAgain(): Promise<void> {
    const { snapshot, log } = this.#options;
    const { accessLogPath } = standardPaths(snapshot);
    const options = { accessLogPath, since: Date.now() - REPLAYED_MS, most: MOST_WAITING / 2 };
    const unsent = await unsentRequests(options).catch((error: unknown) => {
      log.failure("Envoy's access log could not be read for holds that were left", error);
      return [];
    });
    for (const id of unsent) this.#waiting.add(this.#settling(id, NO_AMOUNTS));
    for (const entry of this.#replayed.slice(-MOST_WAITING / 2))
      this.#waiting.add(this.#settling(entry.id, amountsOf(entry)));
    this.#replayed = [];
    this.#waiting.wake();
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
      onStore: (state) => this.storeIs(state === 'reachable', 'requests'),
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
    const task = this.#settling(entry.id, amountsOf(entry));
    task((delivered) => {
      if (!delivered) this.#waiting.add(task);
    });
  }

  /** Nothing is changed where the store knows it. */
  #settling(id: string, amounts: Amounts): Task {
    return (done) => this.#home.store.settle(id, amounts, ({ kind }) => done(kind !== 'unavailable'));
  }

  #replay(entry: FinalEntry): void {
    if (entry.limits === undefined || Date.parse(entry.time) < Date.now() - REPLAYED_MS) return;
    this.#replayed.push(entry);
    if (this.#replayed.length >= 2 * MOST_WAITING) this.#replayed = this.#replayed.slice(-MOST_WAITING);
  }

  /** The store knows of all that this process has finished; soon after an outage some of it may still be on its way. */
  #isDelivered(): boolean {
    return this.#lost.size === 0 && this.#waiting.size === 0 && Date.now() - this.#backAt >= CHECKPOINT_MS;
  }

  /** Troubles that requests may feel. */
  get troubles(): readonly string[] {
    return this.#lost.size === 0 ? [] : ['the store of limits cannot be reached'];
  }

  /** After the ledger was closed: the checkpoint then has everything. */
  async close(): Promise<void> {
    await this.#counters.stop();
    await this.#home.close();
  }

  /** One of the two has changed its mind. */
  storeIs(isReachable: boolean, witness: Witness): void {
    const before = this.#lost.size === 0;
    if (isReachable) this.#lost.delete(witness);
    else this.#lost.add(witness);
    const now = this.#lost.size === 0;
    if (isReachable) this.#waiting.wake();
    if (now && !before) this.#backAt = Date.now();
    if (now !== before) this.#options.onStore(now);
  }

  #seed(): Promise<void> {
    const { snapshot, worker } = this.#options;
    // Each worker tells a shared store of its own share.
    const seed = this.#counters.seed(nameOf(ledgerId(snapshot.ledger.directory), worker));
    return new Promise((resolve, reject) =>
      this.#home.store.seed(seed, (error) => (error === null ? resolve() : reject(error))),
    );
  }
}

const SOCKET = /^counters-(\d+)\.sock$/;

/** In this process, taken over from the generation before it, or rebuilt from the ledger when that one is gone. */
async function memoryHome({ runtimeDirectory, generation, log }: LimitServiceOptions): Promise<Home> {
  const memory = createMemoryCounters({ now: Date.now });
  const pathOf = (number: number): string => join(runtimeDirectory, `counters-${number}.sock`);
  const sockets = (): number[] =>
    readdirSync(runtimeDirectory)
      .flatMap((name) => SOCKET.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((one, other) => other - one);
  const filled = Promise.withResolvers<void>();
  const socketPath = pathOf(generation);
  const shared = await shareCounters({
    store: memory,
    socketPath,
    filled: filled.promise,
    // The one that took them may be gone long before our last stream ends.
    successor() {
      const next = sockets().findLast((number) => number > generation);
      return next === undefined ? null : pathOf(next);
    },
  });
  const take = async (seed: () => Promise<void>): Promise<void> => {
    for (const number of sockets().filter((number) => number < generation)) {
      const from = pathOf(number);
      const result = await takeCounters({ from, store: memory, socketPath, seed });
      if (result.kind === 'taken') {
        log.write('info', 'counters of limits taken over', { generation: number });
        return;
      }
      // Left by a generation that was killed: nobody should look for it there.
      if ((result.error as NodeJS.ErrnoException).code === 'ECONNREFUSED') rmSync(from, { force: true });
    }
    await seed();
  };
  return {
    store: shared,
    processes: () => 1,
    open: async (seed) => {
      await take(seed);
      filled.resolve();
    },
    close: () => shared.close(),
  };
}

interface RedisHooks {
  /** The store has lost its memory. */
  readonly onEmpty: () => void;
  readonly onConnection: (isReachable: boolean) => void;
}

/** In Redis or Valkey, which may already know all, or nothing, or be away: requests find out. Its client is loaded here only. */
async function redisHome(
  { ledger, log, metrics }: LimitServiceOptions,
  settings: Extract<Snapshot['store'], { kind: 'redis' }>,
  hooks: RedisHooks,
): Promise<Home> {
  const { connectRedisCounters } = await import('../store/redis/redis-counters.js');
  let isEmpty = false;
  let isOpen = false;
  const { cluster, prefix, timeoutMs } = settings;
  const store = connectRedisCounters({
    url: settings.url.reveal(),
    cluster,
    prefix,
    timeoutMs,
    processId: ledger.boot,
    onProblem(problem) {
      if (problem) log.failure('the store of limits cannot be reached', problem);
      else log.write('info', 'the store of limits can be reached');
      hooks.onConnection(problem === null);
    },
    onEmpty() {
      metrics.count('limit_store_seeds');
      isEmpty = true;
      if (isOpen) hooks.onEmpty();
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
