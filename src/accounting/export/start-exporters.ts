import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Exporter } from '../../config/money-rules.js';
import type { ExportWork, FromExporters } from './export-protocol.js';
import { type ExportsOwner, ownExports } from './exports-owner.js';
import type { EventOutcome, ExportBacklog, ExportTiming } from './ledger-exporter.js';

export interface ExportersOptions {
  readonly ledgerDirectory: string;
  readonly dataDirectory: string;
  readonly exporters: readonly Exporter[];
  /** Told once when an exporter begins to fail and once when it goes on. Must not throw. */
  readonly onProblem: (message: string, error?: unknown) => void;
  /** For metrics: so many events more were sent, or put aside. Must not throw. */
  readonly onEvents?: (outcome: EventOutcome, count: number) => void;
  /** For tests. */
  readonly timing?: Partial<ExportTiming>;
}

/** All exporters, in one thread of their own. */
export interface Exporters {
  /** As of a second ago at most; empty until this process has the right to export. */
  backlog(): readonly ExportBacklog[];
  /** Takes other exporters from a new configuration. */
  use(exporters: readonly Exporter[]): void;
  /** Resolves when the thread has ended, which a request on its way may hold up for as long as its time-out. */
  close(): Promise<void>;
}

const TIMING: ExportTiming = { pollMs: 1_000, timeoutMs: 10_000, firstMs: 1_000, mostMs: 60_000 };
/** How often it is tried to become the one process that exports, and to start again after a crash. */
const TRY_MS = 2_000;

export function startExporters(options: ExportersOptions): Exporters {
  return new ExportThread(options);
}

class ExportThread implements Exporters {
  readonly #options: ExportersOptions;
  readonly #directory: string;
  readonly #timer: NodeJS.Timeout;
  #exporters: readonly Exporter[];
  #owner: ExportsOwner | null = null;
  #worker: Worker | null = null;
  #ended: Promise<void> = Promise.resolve();
  #backlog: readonly ExportBacklog[] = [];
  #closed = false;

  constructor(options: ExportersOptions) {
    this.#options = options;
    this.#exporters = options.exporters;
    this.#directory = join(options.dataDirectory, 'exports');
    this.#timer = setInterval(() => this.#start(), TRY_MS).unref();
    this.#start();
  }

  backlog(): readonly ExportBacklog[] {
    return this.#backlog;
  }

  use(exporters: readonly Exporter[]): void {
    if (sameExporters(exporters, this.#exporters)) return;
    this.#exporters = exporters;
    // The old thread ends first: two must not work with the same files.
    void this.#stop().then(() => this.#start());
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#stop();
    this.#owner?.release();
    this.#owner = null;
  }

  #start(): void {
    if (this.#closed || this.#worker || this.#exporters.length === 0) return;
    try {
      this.#owner ??= ownExports(this.#directory);
      if (this.#owner) this.#work();
    } catch (error) {
      this.#options.onProblem('exporters cannot be started; it is tried again', error);
    }
  }

  #work(): void {
    const workerData: ExportWork = {
      exporters: this.#exporters.map((exporter) => ({ ...exporter, secret: exporter.secret?.reveal() ?? null })),
      ledgerDirectory: this.#options.ledgerDirectory,
      directory: this.#directory,
      timing: { ...TIMING, ...this.#options.timing },
    };
    const worker = new Worker(new URL('./export-worker.js', import.meta.url), { workerData });
    // Only `close` and `use` wait for it.
    worker.unref();
    this.#worker = worker;
    worker.on('message', (message: FromExporters) => this.#take(message));
    worker.on('error', (error) => this.#options.onProblem('the exporters failed; they are started again', error));
    this.#ended = new Promise((resolve) =>
      worker.once('exit', () => {
        this.#worker = null;
        resolve();
      }),
    );
  }

  #take(message: FromExporters): void {
    if (message.kind === 'backlog') this.#backlog = message.backlog;
    else if (message.kind === 'events') this.#options.onEvents?.(message.outcome, message.count);
    else if (message.message === null) this.#options.onProblem(`exporter ${message.name} goes on`);
    else this.#options.onProblem(`exporter ${message.name} fails; it is tried again: ${message.message}`);
  }

  async #stop(): Promise<void> {
    this.#worker?.ref();
    this.#worker?.postMessage('close');
    await this.#ended;
    this.#backlog = [];
  }
}

function sameExporters(left: readonly Exporter[], right: readonly Exporter[]): boolean {
  const text = (exporters: readonly Exporter[]) =>
    JSON.stringify(exporters.map((exporter) => ({ ...exporter, secret: exporter.secret?.reveal() ?? null })));
  return text(left) === text(right);
}
