import { AgedMap } from '../store/aged-map.js';
import { type AccessLogLine, parseAccessLogLine } from './access-log.js';
import { FollowedFile } from './follow-file.js';
import { lineId } from './line-id.js';

/** One failed attempt as Envoy's router logs it; absent texts are `''`. The router's log has no request id. */
export interface AttemptLogLine {
  /** Epoch milliseconds at which the attempt began. */
  readonly startedAt: number;
  /** Envoy's number of the client's connection. */
  readonly connection: number;
  readonly cluster: string;
  readonly status: number;
  readonly flags: readonly string[];
  readonly failure: string;
  readonly ms: number;
}

/** What Envoy's logs say about one request. */
export interface EnvoyWords {
  /** One for each attempt that was asked about, in that order; null where no line fits. */
  readonly attempts: readonly (AttemptLogLine | null)[];
  /** The line of the whole request; null when it has not come in time. */
  readonly end: AccessLogLine | null;
}

/** A failed attempt whose line is wanted. */
export interface WantedAttempt {
  readonly cluster: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

export interface Question {
  readonly id: string;
  readonly attempts: readonly WantedAttempt[];
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

/** Lines kept while the files are read: somebody may ask for them a moment later. */
const MOST_SEEN = 5000;
/** The service writes an attempt down before Envoy begins it, and both clocks are rounded. */
const CLOCK_SLACK_MS = 2000;

interface Waiting {
  readonly question: Question;
  readonly until: number;
  readonly answer: (words: EnvoyWords) => void;
}

/**
 * Asks Envoy's log files for what no filter can see: why a transport failed, and who ended a stream. The files are read
 * only while somebody waits for an answer.
 */
export class EnvoyLog {
  readonly #options: EnvoyLogOptions;
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();
  /** Lines of whole requests by id, as text: most are never asked for. */
  #ends = new AgedMap<string>();
  #attempts: AttemptLogLine[] = [];
  #logs: readonly FollowedFile[] = [];
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
    const { attemptLogPath, accessLogPath } = this.#options;
    const follow = (path: string, onLine: (line: Buffer) => void) =>
      new FollowedFile({ path, since: 0, lookBack: LOOK_BACK, onLine });
    this.#logs = [
      follow(attemptLogPath, (line) => this.#attemptLine(line.toString('utf8'))),
      follow(accessLogPath, (line) => this.#accessLine(line)),
    ];
    this.#timer = setInterval(() => void this.#poll(), POLL_MS);
  }

  /** Answers everybody with what is known. Nothing is left waiting. */
  close(): void {
    this.#closed = true;
    for (const waiting of [...this.#waiting.values()]) this.#answer(waiting, this.#words(waiting.question));
    this.#rest();
  }

  async #poll(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    // No file yet, or no right to read it: then nobody learns anything from it.
    for (const log of this.#logs) await log.poll().catch(() => undefined);
    this.#reading = false;
    const now = this.#now();
    for (const waiting of [...this.#waiting.values()]) {
      const words = this.#words(waiting.question);
      const whole = words.end !== null && words.attempts.every((line) => line !== null);
      if (whole || waiting.until <= now) this.#answer(waiting, words);
    }
    if (this.#waiting.size === 0) this.#rest();
  }

  #answer(waiting: Waiting, words: EnvoyWords): void {
    this.#waiting.delete(waiting.question.id);
    waiting.answer(words);
  }

  /** Attempts are found by the connection that the request's own line names, their cluster and their begin. */
  #words({ id, attempts }: Question): EnvoyWords {
    const text = this.#ends.get(id);
    const end = text === undefined ? null : parseAccessLogLine(text);
    const connection = end?.connection ?? null;
    const free = new Set(connection === null ? [] : this.#attempts.filter((line) => line.connection === connection));
    const lines = attempts.map((wanted) => {
      const line = nearest(free, wanted);
      if (line) free.delete(line);
      return line;
    });
    return { attempts: lines, end };
  }

  #rest(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    for (const log of this.#logs) void log.close().catch(() => undefined);
    this.#logs = [];
    this.#ends = new AgedMap();
    this.#attempts = [];
  }

  #accessLine(line: Buffer): void {
    const id = lineId(line);
    if (id === null) return;
    this.#ends.add(id, line.toString('utf8'));
    const oldest = this.#ends.oldest();
    if (this.#ends.size > MOST_SEEN && oldest !== null) this.#ends.delete(oldest.key);
  }

  #attemptLine(text: string): void {
    const line = parseAttemptLine(text);
    if (line) this.#attempts.push(line);
    if (this.#attempts.length > MOST_SEEN) this.#attempts = this.#attempts.slice(-MOST_SEEN / 2);
  }
}

function nearest(lines: Iterable<AttemptLogLine>, wanted: WantedAttempt): AttemptLogLine | null {
  let best: AttemptLogLine | null = null;
  let distance = CLOCK_SLACK_MS;
  for (const line of lines) {
    const away = Math.abs(line.startedAt - wanted.startedAt);
    if (line.cluster !== wanted.cluster || away >= distance) continue;
    best = line;
    distance = away;
  }
  return best;
}

/** Null for anything that is no such line. */
export function parseAttemptLine(text: string): AttemptLogLine | null {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const word = (name: string): string => (typeof value[name] === 'string' && value[name] !== '-' ? value[name] : '');
    const count = (name: string): number => Number(value[name] ?? 0) || 0;
    const flags = word('flags')
      .split(',')
      .filter((flag) => flag !== '');
    const startedAt = Date.parse(word('time'));
    if (Number.isNaN(startedAt)) return null;
    const { cluster, failure } = { cluster: word('cluster'), failure: word('failure') };
    return {
      startedAt,
      connection: count('connection'),
      cluster,
      status: count('status'),
      flags,
      failure,
      ms: count('ms'),
    };
  } catch {
    return null;
  }
}
