import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FinalEntry } from '../../accounting/ledger/entry.js';
import type { ProviderHealth, Readiness } from '../../admin/ports.js';
import { askWorker, followWorker } from './ask-worker.js';
import type { Pulse } from './pulse.js';
import type { WorkerAnswers, WorkerQuestion } from './worker-socket.js';

export interface PeersOptions {
  /** Where the sockets of all workers are. */
  readonly directory: string;
  /** Of this process. */
  readonly generation: number;
  /** Workers in all. */
  readonly count: number;
  /** What a worker says of itself, every second. */
  readonly onPulse: (pulse: Pulse) => void;
  /** It does not answer any more. */
  readonly onGone: (worker: number) => void;
}

const SOCKET = /^worker-(\d+)-(\d+)\.sock$/;
const PULSE_MS = 1_000;
/** A worker that does not answer within this is left out. */
const PATIENCE_MS = 500;

/** Where the process of this generation answers the others. */
export function workerSocketPath(directory: string, worker: number, generation: number): string {
  return join(directory, `worker-${worker}-${generation}.sock`);
}

interface Peer {
  readonly worker: number;
  readonly generation: number;
  readonly path: string;
}

/** The other service processes of this gateway, retiring ones too, as the first worker sees them. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #pulses = new Map<number, Pulse>();
  readonly #listeners = new Map<(entry: FinalEntry) => void, Map<string, () => void>>();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  /** All workers were there once: from then on a missing one is being replaced, and the others serve its requests. */
  #complete = false;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  start(): void {
    void this.look();
    this.#timer = setInterval(() => void this.look(), PULSE_MS).unref();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    for (const stops of this.#listeners.values()) for (const stop of stops.values()) stop();
    this.#listeners.clear();
  }

  /** Asks every worker how it is; otherwise this happens every second. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** The answers of all that answer in time, by generation. Never rejects. */
  async ask<Q extends WorkerQuestion>(
    question: Q,
  ): Promise<ReadonlyMap<number, Awaited<ReturnType<WorkerAnswers[Q]>>>> {
    const peers = this.#list();
    const answers = await Promise.allSettled(peers.map(({ path }) => askWorker(path, question, PATIENCE_MS)));
    const found = new Map<number, Awaited<ReturnType<WorkerAnswers[Q]>>>();
    for (const [at, answer] of answers.entries()) {
      const peer = peers[at];
      if (peer === undefined) continue;
      if (answer.status === 'fulfilled') found.set(peer.generation, answer.value);
      // Left behind by a killed process; its number is never used again.
      else if ((answer.reason as NodeJS.ErrnoException).code === 'ECONNREFUSED') rmSync(peer.path, { force: true });
    }
    return found;
  }

  /** Finished requests of all others, also of workers that start later. */
  subscribe(listener: (entry: FinalEntry) => void): () => void {
    const stops = new Map<string, () => void>();
    this.#listeners.set(listener, stops);
    this.#follow(this.#list());
    return () => {
      this.#listeners.delete(listener);
      for (const stop of stops.values()) stop();
    };
  }

  /** Of the others together with what this process says of itself. */
  readiness(own: Readiness): Readiness {
    const reasons = [...own.reasons];
    const degraded = new Set(own.degraded);
    const seen = new Set<number>([0]);
    for (const pulse of this.#serving()) {
      seen.add(pulse.worker);
      reasons.push(...pulse.reasons.map((reason) => `worker ${pulse.worker}: ${reason}`));
      for (const trouble of pulse.degraded) degraded.add(trouble);
    }
    for (let worker = 1; worker < this.#options.count; worker += 1) {
      if (seen.has(worker)) continue;
      if (this.#complete) degraded.add(`worker ${worker} does not answer; the others serve its requests`);
      else reasons.push(`worker ${worker} is not ready`);
    }
    return { reasons, degraded: [...degraded] };
  }

  /** The worst that a worker says: each counts failures of its own requests. */
  worstHealth(provider: string, own: ProviderHealth): ProviderHealth {
    let worst = own;
    for (const { providers } of this.#serving()) {
      const health = providers.get(provider);
      if (health && RANK[health.health] > RANK[worst.health]) worst = health;
    }
    return worst;
  }

  /** Of processes that seem to be there. */
  generations(): readonly number[] {
    return this.#list().map(({ generation }) => generation);
  }

  openHolds(): number {
    return [...this.#pulses.values()].reduce((holds, pulse) => holds + pulse.openHolds, 0);
  }

  #serving(): readonly Pulse[] {
    return [...this.#pulses.values()].filter(({ isStopping }) => !isStopping);
  }

  async #look(): Promise<void> {
    const answers = await this.ask('pulse');
    for (const [generation, { worker }] of this.#pulses) {
      if (answers.has(generation)) continue;
      this.#pulses.delete(generation);
      this.#options.onGone(worker);
    }
    for (const [generation, pulse] of answers) {
      this.#pulses.set(generation, pulse);
      this.#options.onPulse(pulse);
    }
    const there = new Set(this.#serving().map(({ worker }) => worker)).add(0);
    this.#complete ||= there.size === this.#options.count;
    this.#follow(this.#list());
  }

  #follow(peers: readonly Peer[]): void {
    for (const [listener, stops] of this.#listeners) {
      for (const { path } of peers) if (!stops.has(path)) stops.set(path, followWorker(path, listener));
    }
  }

  #list(): readonly Peer[] {
    const { directory, generation: own } = this.#options;
    return readdirSync(directory).flatMap((name): Peer[] => {
      const [, worker = '', generation = ''] = SOCKET.exec(name) ?? [];
      if (generation === '' || Number(generation) === own) return [];
      return [{ worker: Number(worker), generation: Number(generation), path: join(directory, name) }];
    });
  }
}

const RANK: Readonly<Record<ProviderHealth['health'], number>> = { unknown: 0, healthy: 1, degraded: 2, ejected: 3 };
