import { join } from 'node:path';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import { findEntries } from '../accounting/ledger/find-entries.js';
import { Reconciler } from '../accounting/reconcile/create-reconciler.js';
import type { Disagreement } from '../accounting/reconcile/disagreement.js';
import { observePair } from '../accounting/reconcile/observe-pair.js';
import { TokenWidths, WIDTHS_FILE } from '../accounting/recovery/token-widths.js';
import type { Snapshot } from '../config/snapshot.js';
import { createLogRotation, type LogRotation } from '../envoy/log-rotation.js';
import { providerOfCluster } from '../envoy/names.js';
import { standardPaths } from '../envoy/options.js';

export interface SecondMeterOptions {
  readonly snapshot: Snapshot;
  /** Of this process, as the access log names it. */
  readonly generation: string;
  /** Of several workers one alone rotates Envoy's logs, keeps what was learned and compares what ended processes decided. */
  readonly isFirst: boolean;
  /** Whether another service generation still runs: then its requests are its own business. */
  readonly isLiving: (generation: string) => boolean;
  /** Has Envoy open its logs anew; rejects when it cannot be asked. */
  readonly reopenLogs: () => Promise<void>;
  /** Holds of dead processes that wait for a line: meanwhile no old log goes. */
  readonly openHolds: () => number;
  readonly onDisagreement: (disagreement: Disagreement) => void;
  readonly onProblem: (message: string, error: unknown) => void;
}

/** Short, because what is learned matters most to a service that is killed soon after. */
const SAVE_MS = 2_000;

/** Envoy's access log as the second meter: compared with the ledger, learned from, and kept from growing for ever. */
export class SecondMeter {
  /** For recovery's estimates; filled by `open`. */
  readonly widths = new TokenWidths();
  readonly #options: SecondMeterOptions;
  readonly #reconciler: Reconciler;
  readonly #rotation: LogRotation;
  readonly #widthsPath: string;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SecondMeterOptions) {
    const { snapshot, generation, isFirst, isLiving, onDisagreement, onProblem } = options;
    const { accessLogPath, attemptLogPath } = standardPaths(snapshot);
    this.#options = options;
    this.#widthsPath = join(snapshot.dataDirectory, WIDTHS_FILE);
    this.#reconciler = new Reconciler({
      accessLogPath,
      providerOf: providerOfCluster,
      isOurs: (other) => other === generation || (isFirst && (other === null || !isLiving(other))),
      find: (ids, since) => findEntries(snapshot.ledger.directory, ids, since),
      onDisagreement,
      onPair: (line, entry) => observePair(this.widths, line, entry),
      onProblem,
      now: Date.now,
    });
    this.#rotation = createLogRotation({
      paths: [accessLogPath, attemptLogPath],
      reopen: options.reopenLogs,
      mayRemove: () => options.openHolds() === 0,
      onProblem,
    });
  }

  /** Loads what was learned. Before recovery starts. */
  async open(): Promise<void> {
    await this.widths.load(this.#widthsPath);
  }

  /** Begins to compare. Before the first request. */
  async start(): Promise<void> {
    await this.#reconciler.start();
    if (!this.#options.isFirst) return;
    this.#rotation.start();
    this.#timer = setInterval(() => void this.#save(), SAVE_MS).unref();
  }

  /** Every final entry, recovery's too. */
  finished(entry: FinalEntry): void {
    this.#reconciler.finished(entry);
  }

  /** The latest disagreements, newest first. */
  disagreements(): readonly Disagreement[] {
    return this.#reconciler.list();
  }

  async stop(): Promise<void> {
    this.#rotation.stop();
    if (this.#timer) clearInterval(this.#timer);
    await this.#reconciler.stop();
    if (this.#options.isFirst) await this.#save();
  }

  async #save(): Promise<void> {
    const failed = (error: unknown) => this.#options.onProblem('what was learned about answers was not written', error);
    await this.widths.save(this.#widthsPath).catch(failed);
  }
}
