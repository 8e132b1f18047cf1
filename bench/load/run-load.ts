import { Connection, type ConnectionOptions, type Exchange } from './connection.js';
import type { Load, LoadResult, Quantiles } from './load.js';
import { pace } from './pace.js';
import { requestsOf } from './request-bytes.js';
import { readStamps } from './stamps.js';

/** The slowest stream of a bench says something every ten seconds. */
const PATIENCE_SECONDS = 30;

export interface Running {
  readonly result: Promise<LoadResult>;
  /** Closes the connections that `hold` kept. */
  release(): void;
}

/** One run: closed loop, or open loop where `load.rate` is given. */
export function runLoad(load: Load): Running {
  let release = (): void => undefined;
  const result = new Promise<LoadResult>((resolve) => {
    const run = new Run(load, resolve);
    release = () => run.close();
    run.start();
  });
  return { result, release: () => release() };
}

class Run {
  readonly #load: Load;
  readonly #done: (result: LoadResult) => void;
  readonly #requests: readonly Buffer[];
  readonly #exchanges: Exchange[] = [];
  readonly #ages: number[] = [];
  readonly #connections = new Set<Connection>();
  readonly #idle: Connection[] = [];
  /** Open loop: due while no connection was free. */
  readonly #waiting: number[] = [];
  readonly #options: ConnectionOptions;
  readonly #begun = performance.now();
  readonly #cpu = process.cpuUsage();
  #sent = 0;

  constructor(load: Load, done: (result: LoadResult) => void) {
    this.#load = load;
    this.#done = done;
    this.#requests = requestsOf(load);
    this.#options = {
      port: load.port,
      statuses: [load.status ?? 200].flat(),
      begun: (exchange) => {
        if (load.hold) this.#take({ ...exchange, end: exchange.firstByte });
      },
      patience: (load.patienceSeconds ?? PATIENCE_SECONDS) * 1000,
      ended: (exchange, connection) => this.#ended(exchange, connection),
      gone: (connection) => this.#connections.delete(connection),
      body: (bytes) => readStamps(bytes, (age) => this.#ages.push(age)),
    };
  }

  start(): void {
    const { requests, connections, rate } = this.#load;
    if (rate !== undefined) {
      pace(requests, rate, (due) => this.#sendDue(due));
      return;
    }
    for (let at = 0; at < Math.min(connections, requests); at += 1) this.#send(this.#open(), performance.now());
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  #open(): Connection {
    const connection = new Connection(this.#options);
    this.#connections.add(connection);
    return connection;
  }

  #send(connection: Connection, due: number): void {
    const request = this.#requests[this.#sent % this.#requests.length];
    this.#sent += 1;
    if (request !== undefined) connection.send(request, due);
  }

  #sendDue(due: number): void {
    let idle = this.#idle.pop();
    while (idle?.closed) idle = this.#idle.pop();
    if (idle) this.#send(idle, due);
    else if (this.#connections.size < this.#load.connections) this.#send(this.#open(), due);
    else this.#waiting.push(due);
  }

  #ended(exchange: Exchange, connection: Connection): void {
    const next = this.#replaced(connection);
    if (this.#load.rate === undefined) {
      if (!this.#sentAll()) this.#send(next(), performance.now());
    } else if (this.#waiting.length > 0) {
      this.#send(next(), this.#waiting.shift() ?? 0);
    } else if (!connection.closed) {
      this.#idle.push(connection);
    }
    // Of answers that are held their beginning counts, and a later end only if there was none.
    if (!this.#load.hold || exchange.firstByte === 0) this.#take(exchange);
  }

  #sentAll(): boolean {
    const { requests, seconds = Number.POSITIVE_INFINITY } = this.#load;
    return this.#sent >= requests || performance.now() - this.#begun >= seconds * 1000;
  }

  /** The connection itself, or a new one in place of a closed one. */
  #replaced(connection: Connection): () => Connection {
    if (!connection.closed) return () => connection;
    this.#connections.delete(connection);
    return () => this.#open();
  }

  #take(exchange: Exchange): void {
    this.#exchanges.push(exchange);
    if (this.#exchanges.length < this.#sent || !this.#sentAll()) return;
    if (!this.#load.hold) this.close();
    this.#done(this.#result());
  }

  #result(): LoadResult {
    const seconds = (performance.now() - this.#begun) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    const good = this.#exchanges.filter(({ ok }) => ok);
    return {
      ok: good.length,
      failed: this.#exchanges.length - good.length,
      problem: this.#exchanges.find(({ ok }) => !ok)?.problem ?? null,
      seconds,
      firstByte: quantiles(good.map(({ firstByte, due }) => firstByte - due)),
      total: quantiles(good.map(({ end, due }) => end - due)),
      events: this.#ages.length > 0 ? { ...quantiles(this.#ages), count: this.#ages.length } : null,
      behind: this.#load.rate === undefined ? null : quantiles(this.#exchanges.map(({ sent, due }) => sent - due)),
      cpu: (user + system) / this.#exchanges.length,
    };
  }
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
