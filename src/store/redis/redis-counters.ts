import { randomUUID } from 'node:crypto';
import type {
  Amounts,
  Counter,
  CounterStore,
  HoldRequest,
  HoldResult,
  ReadResult,
  Seed,
  SettleResult,
} from '../counter-store.js';
import { Deadlines } from '../deadlines.js';
import { Call, type CallPlan } from './call.js';
import {
  amountArguments,
  heldStates,
  holdArguments,
  namedStates,
  type Reply,
  readStates,
  seedLines,
  windowArguments,
} from './counter-codec.js';
import { RedisLink, type ScriptArgument } from './redis-link.js';
import { ATTEND } from './scripts/attend.js';
import { HOLD } from './scripts/hold.js';
import { READ } from './scripts/read.js';
import type { Script } from './scripts/script.js';
import { SEED } from './scripts/seed.js';
import { SETTLE } from './scripts/settle.js';
import { UndoList } from './undo-list.js';

export interface RedisCounterOptions {
  /** `redis://` or `rediss://`; may hold a password. */
  readonly url: string;
  /** The servers of one cluster are found through this one; all keys lie on one of them. */
  readonly cluster: boolean;
  /** First part of every key, inside the hash tag. */
  readonly prefix: string;
  /** An operation that was not answered by then is `unavailable`. */
  readonly timeoutMs: number;
  /** Unique for this process in its present life. */
  readonly processId: string;
  /** Told when the store cannot be used any more, and with null when it can again. */
  readonly onProblem: (problem: Error | null) => void;
  /**
   * The store does not know what this process' ledger knows: it is new, lost its memory, or has not been told yet. The answer is
   * a call of `seed`; holds wait for it, and fail when it takes longer than `timeoutMs`.
   */
  readonly onEmpty: () => void;
  /** Milliseconds between signs of life. */
  readonly heartbeatMs?: number;
  /** A test's clock instead of the server's. */
  readonly now?: () => number;
}

export interface RedisCounters extends CounterStore {
  /** Living processes, this one included, as last known. */
  processes(): number;
  close(): Promise<void>;
}

const HEARTBEAT_MS = 2000;
/** A process is gone after so many heartbeats without one, and a connection is given up. */
const HEARTBEATS_MISSED = 4;
const MOST_TRIES = 4;
/** Beyond that the server does not keep up: more calls would only wait. */
const MOST_IN_FLIGHT = 10_000;
/** How long an emptied store waits for the other processes that were there to tell their ledgers. */
const GATHER_MS = 2000;
const GATHER_RETRY_MS = 20;
const SEED_UPLOAD = 500;
const SEED_AT_ONCE = 100;
const SEED_KEPT_MS = 35 * 86_400_000;
const NO_AMOUNTS: Amounts = { requests: 0, input_tokens: 0, output_tokens: 0, tokens: 0, cost: 0 };

/** Counters in Redis or Valkey: exact over all processes that share it. The server must not evict keys (`noeviction`). */
export function connectRedisCounters(options: RedisCounterOptions): RedisCounters {
  return new ConnectedCounters(options);
}

class ConnectedCounters implements RedisCounters {
  readonly #options: RedisCounterOptions;
  readonly #base: string;
  readonly #link: RedisLink;
  readonly #deadlines: Deadlines;
  readonly #undo = new UndoList();
  readonly #heartbeat: NodeJS.Timeout;
  #waiting: Call[] = [];
  #inFlight = 0;
  /** Its epoch is known, and this process' ledger is part of it. */
  #ready = false;
  #epoch = '';
  #processes = 1;
  /** Processes that were there when the store lost its memory: all of them should tell their ledgers. */
  #expected = 1;
  #isSeeding = false;
  #silentHeartbeats = 0;
  #isAttending = false;
  #hasProblem = false;
  #gathering: NodeJS.Timeout | null = null;
  #closed: Error | null = null;
  /** Milliseconds that the store's time is ahead of ours. */
  #ahead = 0;

  constructor(options: RedisCounterOptions) {
    this.#options = options;
    this.#base = `{${options.prefix}}:limits:`;
    this.#deadlines = new Deadlines(options.timeoutMs);
    this.#link = new RedisLink({
      url: options.url,
      cluster: options.cluster,
      connectTimeoutMs: Math.max(1000, options.timeoutMs),
      onReady: () => void this.#attend(),
      onLost: (error) => this.#lost(error),
    });
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? HEARTBEAT_MS).unref();
  }

  hold(request: HoldRequest, done: (result: HoldResult) => void): void {
    const { id, counters, amounts, ttlMs } = request;
    this.#undo.want(id);
    this.#submit({
      script: HOLD,
      arguments: () => {
        const now = this.#storeTime();
        return {
          keys: this.#keys('open', 'told', `h:${id}`, ...counters.map(({ key }) => `c:${key}`)),
          args: [id, ttlMs, this.#expected, GATHER_MS, ...counters.flatMap((one) => holdArguments(one, amounts, now))],
        };
      },
      answer: (reply) => done(holdResult(request, reply)),
      fail: (error, call) => {
        if (call.tries > 0) this.#undo.expectLate(id, call);
        done({ kind: 'unavailable', error });
      },
      late: ([kind], call) => {
        if (this.#undo.isUnwanted(id, call) && (kind === 'held' || kind === 'known')) this.#release(id);
      },
      unknown: (call) => this.#undo.lose(id, call),
    });
  }

  settle(id: string, actual: Amounts, done: (result: SettleResult) => void): void {
    this.#submit({
      script: SETTLE,
      arguments: () => this.#settleArguments(id, 'settle', actual),
      answer: (reply) =>
        done(reply[0] === 'settled' ? { kind: 'settled', states: namedStates(reply) } : { kind: 'unknown' }),
      fail: (error) => done({ kind: 'unavailable', error }),
    });
  }

  read(counters: readonly Counter[], done: (result: ReadResult) => void): void {
    this.#submit({
      script: READ,
      arguments: () => ({
        keys: this.#keys('open', 'told', ...counters.map(({ key }) => `c:${key}`)),
        args: counters.flatMap(({ window }) => windowArguments(window, this.#storeTime())),
      }),
      answer: (reply) => done({ kind: 'read', states: readStates(counters, reply) }),
      fail: (error) => done({ kind: 'unavailable', error }),
    });
  }

  seed(seed: Seed, done: (error: Error | null) => void): void {
    this.#isSeeding = true;
    this.#tell(seed)
      .then(() => null, asError)
      .then((error) => {
        this.#isSeeding = false;
        done(error);
        // Finds out whether that was enough, and asks again if it was not.
        return this.#attend();
      });
  }

  processes(): number {
    return this.#processes;
  }

  async close(): Promise<void> {
    this.#closed = new Error('closed');
    clearInterval(this.#heartbeat);
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#deadlines.close();
    this.#failWaiting(this.#closed);
    this.#link.close();
  }

  #submit(plan: CallPlan): void {
    const call = new Call(plan);
    const problem = this.#closed ?? this.#link.problem ?? (this.#inFlight >= MOST_IN_FLIGHT ? overloaded() : null);
    if (problem !== null) call.fail(problem);
    else {
      this.#deadlines.add(call);
      if (this.#ready) void this.#send(call);
      else this.#waiting.push(call);
    }
  }

  async #send(call: Call): Promise<void> {
    const { script, arguments: build } = call.plan;
    call.tries += 1;
    this.#inFlight += 1;
    try {
      const { keys, args } = build();
      this.#take(call, await this.#run(script, keys, args));
    } catch (error) {
      call.fail(asError(error));
      call.plan.unknown?.(call);
    } finally {
      this.#inFlight -= 1;
    }
  }

  #take(call: Call, reply: Reply): void {
    const [kind, time] = reply;
    if (call.isOver) call.answer(reply);
    else if (kind === 'epoch') {
      this.#ready = false;
      this.#waiting.push(call);
      void this.#attend();
    } else if (kind === 'seeding') {
      this.#waiting.push(call);
      this.#gathering ??= setTimeout(() => this.#flush(), GATHER_RETRY_MS);
    } else {
      if (time !== undefined) this.#ahead = Number(time) - this.#clock();
      if (kind !== 'window') call.answer(reply);
      else if (call.tries < MOST_TRIES) void this.#send(call);
      else call.fail(new Error('the clock of the store cannot be followed'));
    }
  }

  #flush(): void {
    this.#gathering = null;
    if (!this.#ready) return;
    const calls = this.#waiting;
    this.#waiting = [];
    for (const call of calls) if (!call.isOver) void this.#send(call);
  }

  #lost(error: Error): void {
    this.#ready = false;
    this.#failWaiting(error);
    this.#report(error);
  }

  #failWaiting(error: Error): void {
    const calls = this.#waiting;
    this.#waiting = [];
    for (const call of calls) call.fail(error);
  }

  #beat(): void {
    if (this.#link.problem !== null) return;
    this.#silentHeartbeats = this.#isAttending ? this.#silentHeartbeats + 1 : 0;
    if (this.#silentHeartbeats >= HEARTBEATS_MISSED) this.#link.reconnect();
    else void this.#attend();
  }

  async #attend(): Promise<void> {
    if (this.#isAttending || this.#closed !== null || this.#link.problem !== null) return;
    this.#isAttending = true;
    try {
      const alive = HEARTBEATS_MISSED * (this.#options.heartbeatMs ?? HEARTBEAT_MS);
      const args = [this.#options.processId, randomUUID(), alive];
      const [epoch = '', time, processes, told] = await this.#run(
        ATTEND,
        this.#keys('open', 'told', 'processes'),
        args,
      );
      this.#ahead = Number(time) - this.#clock();
      if (epoch !== this.#epoch) this.#expected = this.#processes;
      this.#processes = Math.max(1, Number(processes));
      this.#epoch = epoch;
      this.#attended(told === '1');
    } catch (error) {
      this.#report(asError(error));
    } finally {
      this.#isAttending = false;
    }
  }

  #attended(hasTold: boolean): void {
    if (this.#closed !== null) return;
    this.#ready = hasTold;
    if (!hasTold) {
      if (!this.#isSeeding) this.#options.onEmpty();
      return;
    }
    this.#report(null);
    for (const id of this.#undo.takeLost()) this.#release(id);
    this.#flush();
  }

  #report(problem: Error | null): void {
    if (this.#closed !== null || this.#hasProblem === (problem !== null)) return;
    this.#hasProblem = problem !== null;
    this.#options.onProblem(problem);
  }

  async #tell(seed: Seed): Promise<void> {
    const ledgers = `${this.#base}ledgers`;
    const list = randomUUID();
    const listKey = `${this.#base}seed:${list}`;
    if ((await this.#link.field(ledgers, seed.source)) === null) {
      for (const lines of chunks(seedLines(seed), SEED_UPLOAD)) await this.#link.append(listKey, lines, SEED_KEPT_MS);
    }
    const args = [this.#options.processId, seed.source, list, SEED_AT_ONCE];
    for (;;) {
      const [kind] = await this.#run(SEED, this.#keys('open', 'told', 'ledgers'), args);
      if (kind === 'epoch') throw new Error('the store was emptied meanwhile');
      if (kind === 'done') break;
    }
    // Left over where another process told the same ledger at the same time.
    await this.#link.remove(listKey);
  }

  #release(id: string): void {
    const { keys, args } = this.#settleArguments(id, 'release', NO_AMOUNTS);
    this.#run(SETTLE, keys, args).catch(() => {
      const tried = {};
      this.#undo.expectLate(id, tried);
      this.#undo.lose(id, tried);
    });
  }

  #settleArguments(id: string, mode: 'settle' | 'release', actual: Amounts) {
    return { keys: this.#keys('open', 'told', `h:${id}`), args: [id, mode, ...amountArguments(actual)] };
  }

  async #run(script: Script, keys: readonly string[], args: readonly ScriptArgument[]): Promise<Reply> {
    const reply = await this.#link.run(script, keys, [this.#base, this.#epoch, this.#options.now?.() ?? '', ...args]);
    if (!Array.isArray(reply)) throw new Error('an answer that is none');
    return reply.map(String);
  }

  #keys(...names: readonly string[]): readonly string[] {
    return ['head', ...names].map((name) => this.#base + name);
  }

  #clock(): number {
    return this.#options.now?.() ?? Date.now();
  }

  #storeTime(): number {
    return this.#clock() + this.#ahead;
  }
}

function holdResult({ counters, amounts }: HoldRequest, reply: Reply): HoldResult {
  const [kind, , exceeded = ''] = reply;
  if (kind === 'known') return { kind: 'held', states: namedStates(reply) };
  if (kind === 'held') return { kind: 'held', states: heldStates(counters, reply, amounts) };
  const states = heldStates(counters, reply, null);
  return { kind: 'refused', states, exceeded: exceeded.split(',').map(Number) };
}

function overloaded(): Error {
  return new Error('too many calls are waiting for an answer');
}

function asError(problem: unknown): Error {
  return problem instanceof Error ? problem : new Error(String(problem));
}

function* chunks(lines: Iterable<string>, size: number): Iterable<readonly string[]> {
  let chunk: string[] = [];
  for (const line of lines) {
    chunk.push(line);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
