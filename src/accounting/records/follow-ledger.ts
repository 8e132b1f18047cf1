import { setTimeout as pause } from 'node:timers/promises';
import type { RecordsEngine } from './engine.js';
import type { RecordsState } from './record.js';

/** Segments of living processes are looked at this often, if nobody pokes or asks before: other workers write them too. */
const POLL_MS = 1_000;
/** The same while somebody waits for a request that may just have finished. */
const HURRIED_POLL_MS = 200;
/**
 * What comes within this time of a pass that wrote something is one transaction, unless somebody asks: every row changes a page of the
 * index of ids, and the more rows a transaction has, the more of them share one.
 */
const COLLECT_MS = 1_000;
/** All others. */
const FULL_MS = 2_000;
/** A look at everything may take this share of the time at most: a ledger may have 10,000 segments. */
const FULL_SHARE = 1 / 20;
const EXPIRE_MS = 60_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
/** A database that has not answered for this long is trouble, although it has refused nothing. */
const STUCK_MS = 3_000;
const STATE_MS = 500;

export interface FollowHooks {
  readonly onState: (state: RecordsState) => void;
  /** Told once per change, not at every try. */
  readonly onProblem: (message: string) => void;
}

/** Keeps the records up with the ledger until it is stopped, whatever the database does. */
export class LedgerFollower {
  readonly #engine: RecordsEngine;
  readonly #hooks: FollowHooks;
  readonly #clock: NodeJS.Timeout;
  readonly #running: Promise<void>;
  #stopping = false;
  #wake: (() => void) | null = null;
  #poked = false;
  /** Before this, a poke does not begin a pass. */
  #collectUntil = 0;
  #collecting: NodeJS.Timeout | null = null;
  /** Before this, nothing is collected. */
  #hurryUntil = 0;
  /** Those who want a look at the ledger that has not begun yet. */
  #waiting: (() => void)[] = [];
  #error: string | null = null;
  #errorSince: number | null = null;
  #retryMs = FIRST_RETRY_MS;
  #nextFull = 0;
  #nextExpire = 0;
  /** When the database was asked for what it has not answered yet. */
  #workingSince: number | null = null;
  #lastWritten = -1;
  #told = '';

  constructor(engine: RecordsEngine, hooks: FollowHooks) {
    this.#engine = engine;
    this.#hooks = hooks;
    this.#clock = setInterval(() => this.#tick(), STATE_MS);
    this.#running = this.#run();
  }

  /** Something was written to the ledger. */
  poke(): void {
    if (this.#poked) return;
    const left = this.#collectUntil - performance.now();
    if (left <= 0) this.#begin();
    else {
      this.#collecting ??= setTimeout(() => {
        this.#collecting = null;
        this.#begin();
      }, left);
    }
  }

  /** For so long every entry is taken as soon as it is there: somebody waits for a request that may just have finished. */
  hurry(ms: number): void {
    this.#hurryUntil = performance.now() + ms;
    this.#collectUntil = 0;
  }

  /**
   * Resolves once all that is in the ledger now is in the records: a question then sees what happened before it was asked. Resolves
   * without that when it takes longer than `ms` or the database is in trouble.
   */
  async fresh(ms: number): Promise<void> {
    if (this.#error !== null || this.#stopping) return;
    const seen = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#begin();
    const stop = new AbortController();
    const late = pause(ms, undefined, { signal: stop.signal }).catch(() => undefined);
    await Promise.race([seen, late]);
    stop.abort();
  }

  /** Writes what is there, if the database takes it at once, and ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#collecting !== null) clearTimeout(this.#collecting);
    this.#wake?.();
    await this.#running;
    clearInterval(this.#clock);
    if (this.#error === null) await this.#engine.catchUp({ livingOnly: false }).catch(() => undefined);
    await this.#engine.close();
  }

  #begin(): void {
    this.#poked = true;
    if (this.#error === null) this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#poked = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      const more = await this.#pass();
      for (const resolve of waiting) resolve();
      if (!more && !this.#poked && !this.#stopping)
        await this.#sleep(this.#error === null ? this.#pause() : this.#retryMs);
    }
  }

  /** True when there is more to do at once. */
  async #pass(): Promise<boolean> {
    const started = performance.now();
    const full = started >= this.#nextFull;
    this.#workingSince = started;
    const written = this.#engine.state.written;
    try {
      await this.#engine.catchUp({ livingOnly: !full });
      const now = performance.now();
      if (this.#engine.state.written > written && now >= this.#hurryUntil) this.#collectUntil = now + COLLECT_MS;
      if (full) this.#nextFull = performance.now() + FULL_MS + (performance.now() - started) / FULL_SHARE;
      this.#recovered();
      return await this.#expire();
    } catch (error) {
      await this.#failed(error);
      return false;
    } finally {
      this.#workingSince = null;
    }
  }

  async #expire(): Promise<boolean> {
    if (performance.now() < this.#nextExpire) return false;
    const more = await this.#engine.expire(Date.now());
    if (!more) this.#nextExpire = performance.now() + EXPIRE_MS;
    return more;
  }

  async #failed(error: unknown): Promise<void> {
    this.#trouble(error instanceof Error ? error.message : String(error));
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    this.#nextFull = 0;
    await this.#engine.release();
    await this.#engine.measure().catch(() => undefined);
    this.#tell();
  }

  #trouble(message: string): void {
    if (this.#error === null) {
      this.#errorSince = Date.now();
      this.#hooks.onProblem(`the records do not take entries; the ledger keeps them: ${message}`);
    }
    this.#error = message;
  }

  #recovered(): void {
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#error !== null) this.#hooks.onProblem('the records take entries again');
    this.#error = null;
    this.#errorSince = null;
    this.#tell();
  }

  #tick(): void {
    const since = this.#workingSince;
    if (since !== null && performance.now() - since > STUCK_MS) {
      // A long catch-up is no trouble; a database that says nothing is.
      const before = this.#engine.state.written;
      if (before === this.#lastWritten) this.#trouble('the database does not answer');
      this.#lastWritten = before;
      void this.#engine.measure().catch(() => undefined);
    }
    this.#tell();
  }

  #tell(): void {
    const state: RecordsState = { ...this.#engine.state, error: this.#error, errorSince: this.#errorSince };
    const text = JSON.stringify(state);
    if (text === this.#told) return;
    this.#told = text;
    this.#hooks.onState(state);
  }

  #pause(): number {
    const now = performance.now();
    return Math.max(now < this.#hurryUntil ? HURRIED_POLL_MS : POLL_MS, this.#collectUntil - now);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
