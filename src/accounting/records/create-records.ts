import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '../../config/snapshot.js';
import {
  type ContentRecord,
  type EngineOptions,
  type EntryPage,
  type Keeping,
  type RecordPage,
  type RecordQuery,
  type RecordsReader,
  type RecordsState,
  RecordsUnavailableError,
  type RequestRecord,
  type UsageQuery,
} from './record.js';
import type { FromRecords, ToRecords } from './records-protocol.js';
import type { DatabaseSettings } from './sql/database.js';
import type { UsageRow } from './usage-report.js';

/**
 * Pokes within this time are one message, which wakes two threads. Nobody waits for it: a question makes the thread look at the
 * ledger first.
 */
const POKE_MS = 500;
/** Longer than any bounded query takes. */
const ANSWER_MS = 15_000;
/** Questions under way; more would only wait. */
const MOST_QUESTIONS = 64;
const RESTART_MS = 1_000;
const CLOSE_MS = 5_000;
/** A batch is soon forgotten: as much room for young objects as the service itself has would only stay filled. */
const LIMITS = { maxYoungGenerationSizeMb: 6 };

export interface RecordsOptions {
  /** The ledger directory. */
  readonly directory: string;
  readonly settings: Snapshot['records'];
  readonly retention: Keeping;
  /** Where the records database is without a path of its own, and the content spool. */
  readonly dataDirectory: string;
  /** For operators; once per change. */
  readonly onProblem: (message: string) => void;
}

/** The database of finished requests, filled from the ledger by a thread of its own. Nothing here waits for a disk. */
export interface Records extends RecordsReader {
  /** Call it after entries were handed to the ledger: they are in the records soon after. Cheap; calls are put together. */
  poke(): void;
  state(): RecordsState;
  /** From now on this is kept how long. */
  use(retention: Keeping): void;
  /** Writes what the ledger has (close it before), at most 5 s, and ends the thread. */
  close(): Promise<void>;
}

export function createRecords(options: RecordsOptions): Records {
  return new RecordsThread(options);
}

/** Settings that a thread takes, with every default resolved. Throws when Postgres has no address. */
export function engineOptions(options: Omit<RecordsOptions, 'onProblem'>): EngineOptions {
  const { directory, retention, settings, dataDirectory } = options;
  return {
    directory,
    retention,
    dataDirectory,
    database: databaseOf(settings, dataDirectory),
    contentDirectory: contentDirectory(dataDirectory),
  };
}

/** Where prompts and answers wait to be taken over. */
export function contentDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'content');
}

function databaseOf(settings: Snapshot['records'], dataDirectory: string): DatabaseSettings {
  if (settings.kind === 'sqlite') return { kind: 'sqlite', path: settings.path ?? join(dataDirectory, 'records.db') };
  if (!settings.url) throw new Error('records: postgres needs a url');
  return { kind: 'postgres', url: settings.url.reveal() };
}

interface Question {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

class RecordsThread implements Records {
  readonly #options: RecordsOptions;
  readonly #questions = new Map<number, Question>();
  #worker: Worker;
  #state: RecordsState = { behindBytes: 0, written: 0, damagedLines: 0, error: null, errorSince: null };
  #number = 0;
  #poke: NodeJS.Timeout | null = null;
  #retention: Keeping;
  #closed = false;

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#retention = options.retention;
    this.#worker = this.#start();
  }

  list(query: RecordQuery): Promise<RecordPage> {
    return this.#ask('list', query);
  }

  get(id: string): Promise<RequestRecord | null> {
    return this.#ask('get', id);
  }

  usage(query: UsageQuery): Promise<readonly UsageRow[]> {
    return this.#ask('usage', query);
  }

  content(id: string): Promise<ContentRecord | null> {
    return this.#ask('content', id);
  }

  entries(query: RecordQuery): Promise<EntryPage> {
    return this.#ask('entries', query);
  }

  poke(): void {
    this.#poke ??= setTimeout(() => {
      this.#poke = null;
      this.#tell({ kind: 'poke' });
    }, POKE_MS).unref();
  }

  state(): RecordsState {
    return this.#state;
  }

  use(retention: Keeping): void {
    this.#retention = retention;
    this.#tell({ kind: 'retention', retention });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#poke) clearTimeout(this.#poke);
    const worker = this.#worker;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    // A thread that waits to be started again is not there to end.
    if (worker.threadId < 0) return;
    worker.ref();
    this.#tell({ kind: 'close' });
    const timer = setTimeout(() => void worker.terminate(), CLOSE_MS);
    await ended;
    clearTimeout(timer);
    this.#refuseAll('closed');
  }

  #start(): Worker {
    const workerData = engineOptions({ ...this.#options, retention: this.#retention });
    const program = new URL('./records-worker.js', import.meta.url);
    const worker = new Worker(program, { workerData, name: 'records', resourceLimits: LIMITS });
    worker.unref();
    worker.on('message', (message: FromRecords) => this.#hear(message));
    worker.on('error', (error) => this.#trouble(`the thread of the records failed: ${error.message}`));
    worker.on('exit', () => this.#ended());
    return worker;
  }

  /** Everything it knew is in the database and the ledger. */
  #ended(): void {
    this.#refuseAll('its thread ended');
    if (this.#closed) return;
    this.#trouble('the thread of the records ended');
    setTimeout(() => {
      if (!this.#closed) this.#worker = this.#start();
    }, RESTART_MS).unref();
  }

  #trouble(message: string): void {
    if (this.#state.error === null) this.#options.onProblem(message);
    this.#state = { ...this.#state, error: message, errorSince: this.#state.errorSince ?? Date.now() };
  }

  #hear(message: FromRecords): void {
    if (message.kind === 'state') this.#state = message.state;
    else if (message.kind === 'problem') this.#options.onProblem(message.message);
    else {
      const question = this.#questions.get(message.number);
      if (!question) return;
      this.#questions.delete(message.number);
      clearTimeout(question.timer);
      if (message.kind === 'answer') question.resolve(message.value);
      else
        question.reject(message.invalid ? new RangeError(message.reason) : new RecordsUnavailableError(message.reason));
    }
  }

  #ask<T>(method: keyof RecordsReader, argument: unknown): Promise<T> {
    if (this.#closed) return Promise.reject(new RecordsUnavailableError('closed'));
    if (this.#questions.size >= MOST_QUESTIONS)
      return Promise.reject(new RecordsUnavailableError('too many questions'));
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#questions.delete(number);
        reject(new RecordsUnavailableError('no answer in time'));
      }, ANSWER_MS);
      this.#questions.set(number, { resolve: (value) => resolve(value as T), reject, timer });
      this.#tell({ kind: 'ask', number, method, argument });
    });
  }

  #tell(message: ToRecords): void {
    this.#worker.postMessage(message);
  }

  #refuseAll(why: string): void {
    for (const { reject, timer } of this.#questions.values()) {
      clearTimeout(timer);
      reject(new RecordsUnavailableError(why));
    }
    this.#questions.clear();
  }
}
