import { rmSync, utimes } from 'node:fs';
import { LiveMap } from '../../store/live-map.js';
import { Backlog } from './backlog.js';
import { type Boot, createBoot, markSettled } from './boots.js';
import { type Disk, realDisk } from './disk.js';
import type { FinalEntry, HoldEntry, LedgerEntry } from './entry.js';
import type { Ledger, WrittenBoot } from './ledger.js';
import { decodeLine } from './line.js';
import { LineBuffer } from './line-buffer.js';
import { currentOwner, HEARTBEAT_MS, heartbeatPath, type Owner, releaseDirectory } from './owner.js';
import { type SegmentPosition, SegmentWriter } from './segment-writer.js';

const MEBIBYTE = 1024 * 1024;
const NEWLINE = 0x0a;
/** See `LedgerOptions.retryMs`. */
const RETRY_MS = 250;
/** Bytes of the backlog that are written in one turn of the event loop. */
const PIECE_BYTES = MEBIBYTE / 4;

export interface LedgerProblem {
  readonly kind: 'write_failed' | 'write_recovered' | 'sync_failed' | 'entry_dropped' | 'callback_failed';
  readonly message: string;
  readonly error: Error | null;
}

export interface LedgerOptions {
  /** Made when missing. */
  readonly directory: string;
  /** Entries are made durable (fsync) at most this many milliseconds after they were written. */
  readonly syncMs: number;
  /** Told once per change, not once per entry. Must not throw. */
  readonly onProblem: (problem: LedgerProblem) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Bytes of a segment after which the next one begins; default 64 MiB. */
  readonly segmentBytes?: number;
  /** Bytes of final entries that wait for a refusing disk; default 64 MiB. */
  readonly backlogBytes?: number;
  /** How often a refusing disk is tried again, in milliseconds; default 250. */
  readonly retryMs?: number;
  readonly disk?: Disk;
  readonly owner?: Owner;
}

/** For metrics (`tollgate_ledger_*`). Counters since the start, except the last four. */
export interface LedgerStatistics {
  readonly entries: number;
  readonly bytes: number;
  readonly writes: number;
  readonly fsyncs: number;
  readonly problems: number;
  /** Final entries lost because the backlog was full; their holds are settled by recovery at the next start. */
  readonly dropped: number;
  readonly segments: number;
  readonly ringBytes: number;
  readonly ringEntries: number;
  readonly openHolds: number;
}

/** The ledger of this process with what only its owner needs. */
export interface FileLedger extends Ledger, WrittenBoot {
  readonly statistics: LedgerStatistics;
  /** Resolves once all that was handed over before is on disk and synced: true, or false when the disk refuses. */
  synced(): Promise<boolean>;
}

/** Opens a boot directory of its own below `directory`. Throws when that cannot be made: a start without a ledger is refused. */
export function openLedger(options: LedgerOptions): FileLedger {
  const boot = createBoot(options.directory, options.owner ?? currentOwner(), options.now());
  return new LedgerWriter(options, boot);
}

interface Queued {
  readonly entry: LedgerEntry;
  readonly json: string;
  /** Set for holds. */
  readonly done: ((error?: Error) => void) | null;
}

class LedgerWriter implements FileLedger {
  readonly #options: LedgerOptions;
  readonly #boot: Boot;
  readonly #segments: SegmentWriter;
  readonly #backlog: Backlog;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #lines = new LineBuffer();
  readonly #open = LiveMap.byText<true>();
  readonly #count = { entries: 0, bytes: 0, writes: 0, fsyncs: 0, problems: 0, dropped: 0 };
  #tick: Queued[] = [];
  #listener: ((entry: LedgerEntry) => void) | null = null;
  #scheduled = false;
  #failure: Error | null = null;
  #retry: NodeJS.Timeout | null = null;
  #sync: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: LedgerOptions, boot: Boot) {
    this.#options = options;
    this.#boot = boot;
    this.#segments = new SegmentWriter(boot, options.disk ?? realDisk, options.segmentBytes ?? 64 * MEBIBYTE);
    this.#backlog = new Backlog(options.backlogBytes ?? 64 * MEBIBYTE);
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  get boot(): string {
    return this.#boot.name;
  }

  get position(): SegmentPosition {
    return this.#segments.position;
  }

  follow(listener: (entry: LedgerEntry) => void): void {
    if (this.#listener || this.position.segment > 0)
      throw new Error('the ledger cannot be followed from its beginning');
    this.#listener = listener;
  }

  get writable(): boolean {
    return !this.#closed && this.#failure === null;
  }

  get statistics(): LedgerStatistics {
    const ring = { ringBytes: this.#backlog.bytes, ringEntries: this.#backlog.entries };
    return { ...this.#count, segments: this.#segments.segments, ...ring, openHolds: this.#open.size };
  }

  hold(entry: HoldEntry, done: (error?: Error) => void): void {
    if (!this.writable) {
      const error = this.#failure ?? new Error('the ledger is closed');
      setImmediate(() => this.#call(done, error));
      return;
    }
    this.#enqueue({ entry, json: JSON.stringify(entry), done });
  }

  finish(entry: FinalEntry): void {
    const queued = { entry, json: JSON.stringify(entry), done: null };
    if (this.#closed) this.#drop(queued, 'the ledger is closed');
    else this.#enqueue(queued);
  }

  synced(): Promise<boolean> {
    this.#flush();
    if (this.#failure || this.#backlog.entries > 0) return Promise.resolve(false);
    return new Promise((resolve) => this.#segments.sync((error) => resolve(this.#synced(error))));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    if (this.#failure) this.#drain(Number.POSITIVE_INFINITY);
    if (this.#retry) clearTimeout(this.#retry);
    const durable = await this.synced();
    clearInterval(this.#heartbeat);
    if (this.#sync) clearTimeout(this.#sync);
    this.#segments.rotate();
    this.#leave(durable && this.#open.size === 0 && this.#count.dropped === 0);
  }

  /** Entries of one turn of the event loop leave together: one write for what many streams produced. */
  #enqueue(queued: Queued): void {
    this.#tick.push(queued);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const batch = this.#tick;
    if (batch.length === 0) return;
    this.#tick = [];
    if (this.#failure) this.#refuse(batch, this.#failure);
    else this.#write(batch);
  }

  #write(batch: readonly Queued[]): void {
    const lines = this.#lines.fill(batch);
    const { kept, error } = this.#segments.append(lines);
    if (kept > 0) this.#written(kept);
    if (!error) {
      this.#accept(batch);
      return;
    }
    this.#fail(error);
    const whole = countLines(lines.subarray(0, kept));
    this.#accept(batch.slice(0, whole));
    this.#refuse(batch.slice(whole), error);
  }

  #accept(batch: readonly Queued[]): void {
    this.#count.entries += batch.length;
    for (const { entry, done } of batch) {
      if (done) this.#open.set(entry.id, true);
      else this.#open.delete(entry.id);
      this.#tell(entry);
    }
    for (const { done } of batch) if (done) this.#call(done);
  }

  /** Holds are refused, so their requests are; final entries wait. */
  #refuse(batch: readonly Queued[], error: Error): void {
    for (const queued of batch) {
      if (queued.done) this.#call(queued.done, error);
      else if (this.#backlog.push(Buffer.from(this.#lines.fill([queued])))) this.#open.delete(queued.entry.id);
      else this.#drop(queued, 'the backlog is full');
    }
  }

  #drop(queued: Queued, why: string): void {
    this.#count.dropped += 1;
    this.#problem('entry_dropped', `entry of request ${queued.entry.id} is not written: ${why}`, null);
  }

  #fail(error: Error): void {
    if (!this.#failure) this.#problem('write_failed', `the ledger cannot be written: ${error.message}`, error);
    this.#failure = error;
    this.#tryAgainIn(this.#options.retryMs ?? RETRY_MS);
  }

  #tryAgainIn(ms: number): void {
    this.#retry ??= setTimeout(() => this.#tryAgain(), ms).unref();
  }

  #tryAgain(): void {
    this.#retry = null;
    this.#flush();
    const error = this.#drain(1);
    if (error) this.#fail(error);
    else if (this.#failure) this.#tryAgainIn(0);
  }

  /** Writes so many pieces of the backlog. Null unless the disk refuses; with nothing left it takes entries again. */
  #drain(pieces: number): Error | null {
    for (let piece = 0; this.#backlog.entries > 0; piece += 1) {
      if (piece === pieces) return null;
      const lines = this.#backlog.peek(PIECE_BYTES);
      const { kept, error } = this.#segments.append(lines);
      if (kept > 0) this.#written(kept);
      this.#count.entries += this.#backlog.drop(kept);
      this.#tellLines(lines.subarray(0, kept));
      if (error) return error;
    }
    // Nothing may have been waiting, so let the disk prove that it is back before new requests rely on it.
    const refused = this.#segments.probe();
    if (refused) return refused;
    this.#failure = null;
    this.#problem('write_recovered', 'the ledger is written again', null);
    return null;
  }

  #written(bytes: number): void {
    this.#count.bytes += bytes;
    this.#count.writes += 1;
    this.#sync ??= setTimeout(() => {
      this.#sync = null;
      this.#segments.sync((error) => this.#synced(error));
    }, this.#options.syncMs).unref();
  }

  /** After a failed fsync the kernel may have dropped the pages: the next entries go to a new segment. */
  #synced(error: Error | null): boolean {
    this.#count.fsyncs += 1;
    if (!error) return true;
    this.#problem('sync_failed', `the ledger cannot be synced: ${error.message}`, error);
    this.#segments.rotate();
    return false;
  }

  #tell(entry: LedgerEntry): void {
    if (!this.#listener) return;
    try {
      this.#listener(entry);
    } catch (thrown) {
      this.#problem('callback_failed', 'an entry could not be told', thrown instanceof Error ? thrown : null);
    }
  }

  /** Whole lines. */
  #tellLines(lines: Buffer): void {
    let start = 0;
    for (let end = lines.indexOf(NEWLINE); end >= 0; end = lines.indexOf(NEWLINE, start)) {
      const entry = decodeLine(lines.subarray(start, end));
      if (entry) this.#tell(entry);
      start = end + 1;
    }
  }

  /** Lets others see that this boot needs nothing more. Failing here only costs the next start a search. */
  #leave(settled: boolean): void {
    try {
      if (settled) markSettled(this.#boot);
      releaseDirectory(this.#boot.directory);
      if (this.#segments.segments === 0) rmSync(this.#boot.directory, { recursive: true, force: true });
    } catch (error) {
      this.#problem('write_failed', `the ledger cannot be closed: ${String(error)}`, null);
    }
  }

  #beat(): void {
    const now = new Date();
    utimes(heartbeatPath(this.#boot.directory), now, now, () => undefined);
  }

  #call(done: (error?: Error) => void, error?: Error): void {
    try {
      if (error) done(error);
      else done();
    } catch (thrown) {
      this.#problem('callback_failed', 'a hold could not be answered', thrown instanceof Error ? thrown : null);
    }
  }

  #problem(kind: LedgerProblem['kind'], message: string, error: Error | null): void {
    if (kind !== 'write_recovered') this.#count.problems += 1;
    this.#options.onProblem({ kind, message, error });
  }
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, end + 1)) count += 1;
  return count;
}
