import type { FSWatcher } from 'node:fs';
import { type AccessLogLine, parseAccessLogLine } from '../access-log.js';
import { FollowedFile, watchBeside } from '../follow-file.js';
import { type Boot, markSettled } from '../ledger/boots.js';
import type { FinalEntry, HoldEntry } from '../ledger/entry.js';
import { findOpenHolds, listDeadBoots } from '../ledger/open-holds.js';
import type { FileLedger } from '../ledger/open-ledger.js';
import type { IsMine } from '../ledger/share.js';
import { lineId } from '../line-id.js';
import { claimRecovery } from './claim.js';
import { entryFromLine, entryWithoutLine, type FinalEntryParts } from './final-entry.js';

/** How often other processes are looked at, and the access log is read where nothing announces a change. */
const POLL_MS = 2_000;

export interface RecoveryOptions extends FinalEntryParts {
  /** The ledger directory. */
  readonly directory: string;
  /** Envoy's access log; it may not be there. */
  readonly accessLogPath: string;
  /** Where the final entries go: the open ledger of this process. */
  readonly ledger: FileLedger;
  /** When the running Envoy started, epoch milliseconds; null when it cannot be asked. */
  readonly envoyStart: () => Promise<number | null>;
  /** Every final entry that was written, for records and metrics. */
  readonly onRecovered: (entry: FinalEntry) => void;
  readonly onProblem: (message: string, error: unknown) => void;
  /** Go on although a dead boot's segments are damaged. */
  readonly repair?: boolean;
  /** Boots to look after when they are dead; absent = all. */
  readonly isMine?: IsMine;
  readonly pollMs?: number;
}

/** Gives every hold that a dead process left open its one final entry. */
export interface Recovery {
  /** Holds that still wait for their end. They go on counting in their limits. */
  readonly open: readonly HoldEntry[];
  /**
   * Searches the dead boots once and begins to follow the access log; resolves when the search is done. Rejects with
   * `LedgerDamageError` when their segments are damaged and `repair` is not set.
   */
  start(): Promise<void>;
  /** Looks once more at boots, log, Envoy and clock, which otherwise happens every two seconds. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

export function createRecovery(options: RecoveryOptions): Recovery {
  return new HoldRecovery(options);
}

interface DeadBoot {
  readonly boot: Boot;
  /** Ids without a final entry. */
  readonly open: Set<string>;
}

class HoldRecovery implements Recovery {
  readonly #options: RecoveryOptions;
  readonly #holds = new Map<string, HoldEntry>();
  readonly #boots = new Map<string, DeadBoot>();
  #log: FollowedFile | null = null;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #stopped = false;
  #failing = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  get open(): readonly HoldEntry[] {
    return [...this.#holds.values()];
  }

  async start(): Promise<void> {
    await this.check();
    this.#timer = setInterval(() => this.#checkQuietly(), this.#options.pollMs ?? POLL_MS).unref();
  }

  check(): Promise<void> {
    this.#running ??= this.#pass().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#running?.catch(() => undefined);
    await this.#closeLog();
  }

  #checkQuietly(): void {
    if (this.#stopped || this.#running) return;
    this.check().then(
      () => {
        this.#failing = false;
      },
      (error) => this.#report(error),
    );
  }

  /** Told once, not at every try. */
  #report(error: unknown): void {
    if (!this.#failing) this.#options.onProblem('recovery of open holds failed; it is tried again', error);
    this.#failing = true;
  }

  async #pass(): Promise<void> {
    await this.#search();
    if (this.#holds.size > 0) {
      // Envoy is asked before its log is read: a line it wrote before it was replaced is then seen.
      const envoyStart = await this.#options.envoyStart().catch(() => null);
      await this.#readLog();
      this.#giveUp(envoyStart);
    }
    if (this.#holds.size === 0) await this.#closeLog();
    await this.#markSettled();
  }

  /** Takes the open holds of boots that died since the last look, as far as no other process has them. */
  async #search(): Promise<void> {
    const { directory, ledger, repair, isMine } = this.#options;
    const dead = await listDeadBoots(directory, isMine);
    const boots = dead.filter((boot) => !this.#boots.has(boot.name) && claimRecovery(boot, ledger.boot));
    if (boots.length === 0) return;
    const open = await findOpenHolds(directory, { repair: repair ?? false, boots });
    for (const boot of boots) this.#boots.set(boot.name, { boot, open: new Set() });
    for (const { hold, boot } of open) {
      this.#holds.set(hold.id, hold);
      this.#boots.get(boot)?.open.add(hold.id);
    }
    // Lines about them may lie before where reading had come to.
    if (open.length > 0) await this.#closeLog();
  }

  async #readLog(): Promise<void> {
    this.#log ??= this.#openLog();
    await this.#log.poll();
  }

  #openLog(): FollowedFile {
    const { accessLogPath } = this.#options;
    let since = Number.POSITIVE_INFINITY;
    for (const hold of this.#holds.values()) since = Math.min(since, Date.parse(hold.time) || 0);
    this.#watcher = watchBeside(accessLogPath, () => this.#checkQuietly());
    return new FollowedFile({ path: accessLogPath, since, onLine: (line) => this.#line(line) });
  }

  #line(bytes: Buffer): void {
    const id = lineId(bytes);
    // Parsing every line of a large log would be the whole cost of a start; most are about other requests.
    if (id !== null && !this.#holds.has(id)) return;
    const line = parseAccessLogLine(bytes.toString('utf8'));
    const hold = line && this.#holds.get(line.id);
    if (line && hold && isAbout(hold, line)) this.#finish(entryFromLine(hold, line, this.#options));
  }

  /** Ends what can have no line any more. */
  #giveUp(envoyStart: number | null): void {
    const now = this.#options.now();
    for (const hold of [...this.#holds.values()]) {
      const lost = envoyStart !== null && envoyStart > Date.parse(hold.time);
      if (lost || hold.expires <= now) this.#finish(entryWithoutLine(hold, this.#options));
    }
  }

  #finish(entry: FinalEntry): void {
    this.#holds.delete(entry.id);
    for (const { open } of this.#boots.values()) open.delete(entry.id);
    this.#options.ledger.finish(entry);
    this.#options.onRecovered(entry);
  }

  /** Only after the final entries are durable; a crash before that repeats the search, which finds them. */
  async #markSettled(): Promise<void> {
    const done = [...this.#boots.values()].filter(({ open }) => open.size === 0);
    if (done.length === 0 || !(await this.#options.ledger.synced())) return;
    for (const { boot } of done) {
      markSettled(boot);
      this.#boots.delete(boot.name);
    }
  }

  async #closeLog(): Promise<void> {
    this.#watcher?.close();
    this.#watcher = null;
    const log = this.#log;
    this.#log = null;
    await log?.close();
  }
}

/** Ids are ours and unique; the time guards against a log that is older than the hold. One second for two clocks' roundings. */
function isAbout(hold: HoldEntry, line: AccessLogLine): boolean {
  const [held, begun] = [Date.parse(hold.time), Date.parse(line.time)];
  return Number.isNaN(held) || Number.isNaN(begun) || begun + line.ms + 1_000 >= held;
}
