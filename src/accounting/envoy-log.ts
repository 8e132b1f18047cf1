import { type FileHandle, open } from 'node:fs/promises';
import { type AccessLogLine, parseAccessLogLine } from './access-log.js';

/** One failed attempt as Envoy's router logs it; absent texts are `''`. */
export interface AttemptLogLine {
  readonly cluster: string;
  readonly status: number;
  readonly flags: readonly string[];
  readonly details: string;
  readonly failure: string;
  readonly ms: number;
}

/** What Envoy's logs say about one request. */
export interface EnvoyWords {
  /** Failed attempts, in their order. */
  readonly attempts: readonly AttemptLogLine[];
  /** The line of the whole request; null when it has not come in time. */
  readonly end: AccessLogLine | null;
}

export interface Question {
  readonly id: string;
  /** Failed attempts whose lines are wanted. */
  readonly attempts: number;
  /** The request's own line is wanted. */
  readonly end: boolean;
}

export interface EnvoyLogOptions {
  readonly accessLogPath: string;
  readonly attemptLogPath: string;
  /** Milliseconds after which an answer is given with what is there. Envoy flushes every 50. */
  readonly patienceMs: number;
}

const POLL_MS = 20;
/** How far back a look begins: lines are written after the fact, so what is asked for is among the newest. */
const LOOK_BACK = 256 * 1024;
const MAX_READ = 1024 * 1024;

/** Requests whose lines are kept while the files are read: somebody may ask for them a moment later. */
const MOST_SEEN = 5000;

interface Waiting {
  readonly question: Question;
  readonly until: number;
  readonly answer: (words: EnvoyWords) => void;
}

interface Seen {
  readonly attempts: string[];
  end: string | null;
}

/**
 * Asks Envoy's log files for what no filter can see: why a transport failed, and who ended a stream. The files are read
 * only while somebody waits for an answer.
 */
export class EnvoyLog {
  readonly #options: EnvoyLogOptions;
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();
  readonly #seen = new Map<string, Seen>();
  #tails: readonly Tail[] = [];
  #timer: NodeJS.Timeout | null = null;
  #reading = false;
  #closed = false;

  /** @param now monotonic milliseconds */
  constructor(options: EnvoyLogOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  /** Calls back once: when all that was asked for is there, after the patience, or at `close`. */
  ask(question: Question, answer: (words: EnvoyWords) => void): void {
    if (this.#closed) {
      answer({ attempts: [], end: null });
      return;
    }
    const until = this.#now() + this.#options.patienceMs;
    this.#waiting.set(question.id, { question, until, answer });
    if (this.#timer) return;
    // A fresh look for each burst of questions: lines of the asked-for attempts may be there already.
    this.#tails = [
      new Tail(this.#options.attemptLogPath, (line) => this.#entry(line)?.attempts.push(line)),
      new Tail(this.#options.accessLogPath, (line) => this.#accessLine(line)),
    ];
    this.#timer = setInterval(() => void this.#poll(), POLL_MS);
  }

  /** Answers everybody with what is known. Nothing is left waiting. */
  close(): void {
    this.#closed = true;
    for (const waiting of [...this.#waiting.values()]) this.#answer(waiting);
    this.#rest();
  }

  async #poll(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      for (const tail of this.#tails) await tail.read();
    } finally {
      this.#reading = false;
    }
    const now = this.#now();
    for (const waiting of [...this.#waiting.values()]) {
      const { question, until } = waiting;
      const seen = this.#seen.get(question.id);
      const whole = (seen?.attempts.length ?? 0) >= question.attempts && (!question.end || Boolean(seen?.end));
      if (whole || until <= now) this.#answer(waiting);
    }
    if (this.#waiting.size === 0) this.#rest();
  }

  #answer(waiting: Waiting): void {
    this.#waiting.delete(waiting.question.id);
    const seen = this.#seen.get(waiting.question.id);
    const attempts = (seen?.attempts ?? []).flatMap((line) => parseAttemptLine(line) ?? []);
    waiting.answer({ attempts, end: seen?.end ? parseAccessLogLine(seen.end) : null });
  }

  #rest(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    for (const tail of this.#tails) tail.close();
    this.#tails = [];
    this.#seen.clear();
  }

  #accessLine(line: string): void {
    const seen = this.#entry(line);
    if (seen) seen.end = line;
  }

  /** Where the lines of this line's request are kept; nothing is parsed before somebody asks. */
  #entry(line: string): Seen | null {
    const id = idOf(line);
    if (id === null) return null;
    let seen = this.#seen.get(id);
    if (!seen) {
      seen = { attempts: [], end: null };
      this.#seen.set(id, seen);
      const [oldest] = this.#seen.keys();
      if (this.#seen.size > MOST_SEEN && oldest !== undefined) this.#seen.delete(oldest);
    }
    return seen;
  }
}

/** Reads a growing file from near its end, line by line. */
class Tail {
  readonly #path: string;
  readonly #onLine: (line: string) => void;
  #file: FileHandle | null = null;
  #offset = 0;
  #rest = '';
  #closed = false;

  constructor(path: string, onLine: (line: string) => void) {
    this.#path = path;
    this.#onLine = onLine;
  }

  async read(): Promise<void> {
    try {
      if (!this.#file) await this.#open();
      const file = this.#file;
      if (!file || this.#closed) return;
      const { size } = await file.stat();
      if (size <= this.#offset) return;
      const buffer = Buffer.alloc(Math.min(size - this.#offset, MAX_READ));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset);
      this.#offset += bytesRead;
      const lines = (this.#rest + buffer.toString('utf8', 0, bytesRead)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#onLine(line);
    } catch {
      // No file yet, or no right to read it: then nobody learns anything from it.
    }
  }

  close(): void {
    this.#closed = true;
    void this.#file?.close().catch(() => undefined);
    this.#file = null;
  }

  async #open(): Promise<void> {
    const file = await open(this.#path, 'r');
    this.#offset = Math.max(0, (await file.stat()).size - LOOK_BACK);
    this.#file = file;
    if (this.#closed) this.close();
  }
}

function idOf(line: string): string | null {
  return /"id":"([\w.:-]+)"/.exec(line)?.[1] ?? null;
}

/** Null for anything that is no such line. */
export function parseAttemptLine(text: string): AttemptLogLine | null {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const word = (name: string): string => (typeof value[name] === 'string' && value[name] !== '-' ? value[name] : '');
    const count = (name: string): number => (typeof value[name] === 'number' ? value[name] : 0);
    const flags = word('flags')
      .split(',')
      .filter((flag) => flag !== '');
    return {
      cluster: word('cluster'),
      status: count('status'),
      flags,
      details: word('details'),
      failure: word('failure'),
      ms: count('ms'),
    };
  } catch {
    return null;
  }
}
