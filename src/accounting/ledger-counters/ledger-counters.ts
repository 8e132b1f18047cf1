import type { Seed } from '../../store/counter-store.js';
import { listBoots } from '../ledger/boots.js';
import type { FinalEntry, LedgerEntry } from '../ledger/entry.js';
import type { WrittenBoot } from '../ledger/ledger.js';
import type { IsMine } from '../ledger/share.js';
import { lineId } from '../line-id.js';
import { readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { CounterBook } from './counter-book.js';
import { type Positions, readOn, stillFits, toldPosition } from './ledger-position.js';

export interface LedgerCountersOptions {
  /** The ledger directory. */
  readonly directory: string;
  /** `<data directory>/counters.json`; null = always read the whole ledger. */
  readonly checkpointPath: string | null;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /**
   * Final entries that other processes wrote after the opening: their holds may be in the store by the seed.
   */
  readonly onFinal?: (entry: FinalEntry) => void;
  /** Final entries that the opening found after the last checkpoint, or all of them where there is none. */
  readonly onReplayed?: (entry: FinalEntry) => void;
  /**
   * False: what was read is not delivered yet, so that the checkpoint stays behind and the next opening finds it again. Absent:
   * always true.
   */
  readonly isDelivered?: () => boolean;
  /** The boot that this process writes: its entries are told, its files are not read. Absent = none. */
  readonly own?: WrittenBoot;
  /** Boots to count; absent = all. Where it has changed since the checkpoint, they are read from their beginning. */
  readonly isMine?: IsMine;
  /** A checkpoint that cannot be written, a ledger that cannot be read: tried again. */
  readonly onProblem?: (message: string, error: unknown) => void;
  /** Take from the checkpoint only what the ledger does not have any more. */
  readonly fromBeginning?: boolean;
  /** Before each boot: boots done, and boots in all. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** In the data directory. */
export const CHECKPOINT_FILE = 'counters.json';
export const CHECKPOINT_MS = 10_000;
const LIMITS_FIELD = Buffer.from('"limits":');

/** The counters of limits, kept from the ledger and never from anything else. */
export class LedgerCounters {
  readonly #options: LedgerCountersOptions;
  #book = new CounterBook();
  #positions: Positions = new Map();
  /** Entries of the own boot that may end holds of others which have not been read. */
  #early: LedgerEntry[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #opened = false;
  #changed = false;
  #fromCheckpoint = false;

  constructor(options: LedgerCountersOptions) {
    this.#options = options;
    options.own?.follow((entry) => this.#told(entry));
  }

  /** True when the opening had to read only what came after a checkpoint. */
  get fromCheckpoint(): boolean {
    return this.#fromCheckpoint;
  }

  /** Reads checkpoint and ledger. Rejects when the ledger cannot be read. */
  open(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#load();
      await this.#read();
      this.#opened = true;
    });
  }

  /** Reads what was written since. */
  advance(): Promise<void> {
    return this.#inTurn(() => this.#read());
  }

  /** As of the last reading. `source`: name of the ledger, for stores that several ledgers seed. */
  seed(source: string): Seed {
    return this.#book.seed(source, this.#options.now());
  }

  /** Reads on and writes the checkpoint, where anything has changed. Rejects when one of them fails. */
  checkpoint(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#read();
      const { checkpointPath, now, isDelivered } = this.#options;
      if (checkpointPath === null || !this.#changed || isDelivered?.() === false) return;
      this.#book.prune(now());
      await this.#write(checkpointPath);
    });
  }

  /** From now on a checkpoint every `everyMs`. */
  start(everyMs = CHECKPOINT_MS): void {
    this.#timer ??= setInterval(() => void this.#checkpointQuietly(), everyMs).unref();
  }

  /** With a last checkpoint; call it after the ledger was closed. Never rejects. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await this.#checkpointQuietly();
  }

  /** What does not fit the ledger is read again; only what the ledger has lost is taken from the checkpoint all the same. */
  async #load(): Promise<void> {
    const { directory, checkpointPath, isMine = () => true } = this.#options;
    const found = checkpointPath === null ? null : await readCheckpoint(checkpointPath);
    if (!found) return;
    for (const [boot, place, sum] of found.used) this.#book.addUsed(boot, place, sum);
    const foreign = (await listBoots(directory)).some((boot) => found.positions.has(boot.name) && !isMine(boot));
    if (this.#options.fromBeginning !== true && !foreign && (await stillFits(directory, found.positions))) {
      this.#fromCheckpoint = true;
      this.#positions = found.positions;
      for (const [id, hold] of found.holds) this.#book.addHold(id, hold);
    } else {
      const boots = await listBoots(directory);
      this.#book.keepRemoved(new Set(boots.map(({ name }) => name)));
    }
  }

  /** Afterwards, in the same turn of the event loop, all that was told is in the book. */
  async #read(): Promise<void> {
    do await this.#readOthers();
    while (this.#early.length > 0);
  }

  async #readOthers(): Promise<void> {
    const { directory, now, own, isMine, onFinal, onReplayed, onProgress } = this.#options;
    // Of what comes while others are read, some may end holds that this reading does not find any more.
    const early = this.#early.length;
    const visit = (entry: LedgerEntry, boot: string) => {
      this.#changed = true;
      this.#book.add(entry, boot, now());
      if (entry.type === 'hold') return;
      if (!this.#opened) onReplayed?.(entry);
      else if (boot !== own?.boot) onFinal?.(entry);
    };
    await readOn(directory, this.#positions, {
      wants: (line) => this.#wants(line),
      visit,
      ...(isMine && { isMine }),
      ...(own && { told: own.boot }),
      onProgress: onProgress ?? (() => undefined),
    });
    const present = new Set(this.#positions.keys());
    if (own) {
      present.add(own.boot);
      for (const entry of this.#early.splice(0, early)) visit(entry, own.boot);
    }
    this.#book.mergeRemoved(present);
  }

  /**
   * An entry of this process's boot. It is counted at once: thousands that waited for the next reading would grow old in V8's sense.
   * Only what recovery writes has to wait until the holds of other boots were read that it ends.
   */
  #told(entry: LedgerEntry): void {
    if (!this.#opened || (entry.type !== 'hold' && entry.recovered)) {
      this.#early.push(entry);
      return;
    }
    // Most entries of a gateway with few limits are not about any.
    if (entry.limits === undefined && !this.#book.holds(entry.id)) return;
    this.#changed = true;
    this.#book.add(entry, this.#options.own?.boot ?? '', this.#options.now());
  }

  /** Writes what there is at the moment of the call: the book, and how far boots were read or told for it. */
  async #write(path: string): Promise<void> {
    const { directory, own } = this.#options;
    const positions = new Map(this.#positions);
    const told = own?.position;
    const book = this.#book.freeze();
    this.#changed = false;
    try {
      if (own && told && told.segment > 0) positions.set(own.boot, await toldPosition(directory, own.boot, told));
      await writeCheckpoint(path, positions, book);
    } catch (error) {
      this.#changed = true;
      throw error;
    } finally {
      this.#book.thaw();
    }
  }

  /** Most entries of a gateway with few limits are not about any, and parsing is most of the work. */
  #wants(line: Buffer): boolean {
    if (line.indexOf(LIMITS_FIELD) >= 0) return true;
    const id = this.#book.hasHolds ? lineId(line) : null;
    return id !== null && this.#book.holds(id);
  }

  async #checkpointQuietly(): Promise<void> {
    await this.checkpoint().catch((error: unknown) =>
      this.#options.onProblem?.('the checkpoint of the counters could not be written', error),
    );
  }

  /** One at a time. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

/** One reading of the ledger as the seed of a counter store; `source` names the ledger. */
export async function collectSeed(
  options: Pick<LedgerCountersOptions, 'directory' | 'now'> & {
    readonly source: string;
    readonly checkpointPath?: string;
  },
): Promise<Seed> {
  const { directory, now, source, checkpointPath } = options;
  const counters = new LedgerCounters({ directory, now, checkpointPath: checkpointPath ?? null });
  await counters.open();
  return counters.seed(source);
}

/** Reads the whole ledger and writes a new checkpoint, which keeps what segments told that retention has removed. */
export async function rebuildCheckpoint(
  options: Pick<LedgerCountersOptions, 'directory' | 'now' | 'onProgress'> & { readonly checkpointPath: string },
): Promise<Seed> {
  const counters = new LedgerCounters({ ...options, fromBeginning: true });
  await counters.open();
  await counters.checkpoint();
  return counters.seed('ledger');
}
