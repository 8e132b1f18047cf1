import type { FinalEntry } from '../../accounting/ledger/entry.js';
import type { ProviderHealth, Readiness } from '../../admin/ports.js';
import type { LimitRow } from '../../policy/limits/limiter.js';
import type { Service } from '../service.js';
import { mergeMetrics } from './merge-metrics.js';
import { Peers, workerSocketPath } from './peers.js';
import type { Pulse } from './pulse.js';
import { foldTotals, readTotals, SavedTotals } from './totals.js';
import { isFirst, type WorkerPlace } from './worker-place.js';
import { openWorkerSocket, type WorkerSocket } from './worker-socket.js';

export interface CrewOptions {
  readonly place: WorkerPlace;
  /** Where all workers have their sockets. */
  readonly directory: string;
  readonly generation: number;
  readonly service: Service;
  /** Of this process alone, both. */
  readonly health: (provider: string) => ProviderHealth;
  readonly readiness: () => Readiness;
}

interface State {
  isStopping: boolean;
}

/** One of several workers among the others: it answers them, and the first one speaks for all. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #socket: WorkerSocket;
  readonly #totals: SavedTotals;
  readonly #peers: Peers;
  readonly #state: State;

  /** Use `joinCrew`. */
  constructor(options: CrewOptions, socket: WorkerSocket, state: State) {
    const { directory, generation, service, place } = options;
    const { gathered } = service.deliveries;
    this.#options = options;
    this.#socket = socket;
    this.#state = state;
    this.#totals = new SavedTotals({
      directory,
      generation,
      render: () => service.metrics.totals(),
      onProblem: (error) => service.log.failure('the counts of this process could not be saved', error),
    });
    this.#peers = new Peers({
      directory,
      generation,
      count: place.count,
      onPulse: ({ worker, alerts }) => gathered?.take(alerts, worker),
      onGone: (worker) => gathered?.gone(worker),
    });
  }

  start(): void {
    this.#totals.start();
    if (isFirst(this.#options.place)) this.#peers.start();
  }

  /** Of all processes together, ended ones too. */
  async render(): Promise<string> {
    const { directory, generation, service } = this.#options;
    const [own, others] = await Promise.all([service.metrics.render(), this.#peers.ask('metrics')]);
    const answered = new Set([generation, ...others.keys()]);
    const page = mergeMetrics([own, ...others.values(), ...(await readTotals(directory, answered))]);
    await foldTotals(directory, new Set([generation, ...this.#peers.generations()]));
    return page;
  }

  readiness(own: Readiness): Readiness {
    return this.#peers.readiness(own);
  }

  health(provider: string): ProviderHealth {
    return this.#peers.worstHealth(provider, this.#options.health(provider));
  }

  /** Counters that any worker has used lately. */
  async limits(): Promise<readonly LimitRow[]> {
    const [own, others] = await Promise.all([rowsOf(this.#options.service), this.#peers.ask('limits')]);
    const rows = new Map<string, LimitRow>();
    for (const row of [own, ...others.values()].flat()) {
      const key = JSON.stringify([row.limit, row.of, row.partition]);
      if (!rows.has(key)) rows.set(key, row);
    }
    return [...rows.values()];
  }

  subscribe(listener: (entry: FinalEntry) => void): () => void {
    const { subscribers } = this.#options.service;
    subscribers.add(listener);
    const stop = this.#peers.subscribe(listener);
    return () => {
      subscribers.delete(listener);
      stop();
    };
  }

  openHolds(): number {
    return this.#peers.openHolds();
  }

  /** A successor speaks for all from now on; what this process still counts is asked for. */
  retire(): void {
    this.#state.isStopping = true;
    this.#peers.stop();
  }

  /** Last: what was counted until now stays known. */
  async leave(): Promise<void> {
    await this.#totals.stop();
    await this.#socket.close();
  }
}

/** Opens this worker to the others. Rejects when its socket cannot be bound. */
export async function joinCrew(options: CrewOptions): Promise<Crew> {
  const { directory, place, generation, service } = options;
  const state: State = { isStopping: false };
  const socket = await openWorkerSocket(workerSocketPath(directory, place.index, generation), {
    metrics: () => service.metrics.render(),
    pulse: async () => pulseOf(options, state),
    limits: () => rowsOf(service),
    subscribe(listener) {
      service.subscribers.add(listener);
      return () => service.subscribers.delete(listener);
    },
  });
  const crew = new Crew(options, socket, state);
  crew.start();
  return crew;
}

function pulseOf({ place, generation, service, health, readiness }: CrewOptions, { isStopping }: State): Pulse {
  const { snapshot } = service.rules();
  return {
    ...readiness(),
    worker: place.index,
    generation,
    isStopping,
    snapshot: snapshot.version,
    openHolds: service.recovery.open.length,
    providers: new Map([...snapshot.providers.keys()].map((name) => [name, health(name)])),
    alerts: service.deliveries.relayed?.take() ?? { events: [], stated: 0, estimated: 0 },
  };
}

function rowsOf(service: Service): Promise<readonly LimitRow[]> {
  return new Promise((resolve) => service.rules().limiter.rows(resolve));
}
