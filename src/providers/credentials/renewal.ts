import type { Acquired, Material } from './acquire.js';

/** Runs something later; gives the way to call it off. */
export type Schedule = (run: () => void, delayMs: number) => () => void;

export interface RenewalParts {
  readonly acquire: (signal: AbortSignal) => Promise<Acquired>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly schedule: Schedule;
  /** One sentence for operators, at each failure. */
  readonly onProblem: (message: string) => void;
}

/** A token is renewed this long before its end, or when this part of its life is over, whichever is earlier. */
const EARLY_MS = 300_000;
const EARLY_SHARE = 0.8;
/** What does not say when it ends (keys in a file) is looked at again. */
const RECHECK_MS = 60_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Timers hold 24 days; clocks of suspended machines are not to be trusted that long. */
const LONGEST_WAIT_MS = 12 * 3_600_000;

/**
 * One token or pair of keys, got beside requests: renewed ahead of its end, again and again after a failure, never twice
 * at a time. What is there is used until its end, whatever happens to its successor.
 */
export class Renewal {
  readonly #parts: RenewalParts;
  readonly #end = new AbortController();
  readonly #firstDone: Promise<void>;
  #tellFirst: () => void = () => {};
  #held: Acquired | null = null;
  #isRunning = false;
  #failures = 0;
  #cancel: () => void = () => {};

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#firstDone = new Promise((resolve) => {
      this.#tellFirst = resolve;
    });
    this.renew();
  }

  /** What can be used now; null = nothing (yet, or any more). */
  current(): Material | null {
    const held = this.#held;
    if (held === null || (held.expiresAt !== null && this.#parts.now() >= held.expiresAt)) return null;
    return held.material;
  }

  /** Resolves after the first try, whether it gave something or not. */
  firstTry(): Promise<void> {
    return this.#firstDone;
  }

  /** Asks now: what is held was refused. Does nothing while an answer is awaited. */
  renew(): void {
    if (this.#isRunning || this.#end.signal.aborted) return;
    this.#isRunning = true;
    this.#cancel();
    void this.#run();
  }

  /** No request and no timer after this; what is held stays usable until its end. */
  stop(): void {
    this.#cancel();
    this.#end.abort();
    this.#tellFirst();
  }

  async #run(): Promise<void> {
    const delay = await this.#tryOnce();
    this.#isRunning = false;
    this.#tellFirst();
    if (!this.#end.signal.aborted) this.#cancel = this.#parts.schedule(() => this.renew(), delay);
  }

  /** Milliseconds until the next try. */
  async #tryOnce(): Promise<number> {
    const { acquire, now, random, onProblem } = this.#parts;
    try {
      const acquired = await acquire(this.#end.signal);
      this.#held = acquired;
      this.#failures = 0;
      return renewIn(acquired.expiresAt === null ? null : acquired.expiresAt - now(), random());
    } catch (error) {
      this.#failures += 1;
      if (!this.#end.signal.aborted) onProblem(error instanceof Error ? error.message : 'failed');
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
      return pause * (0.5 + 0.5 * random());
    }
  }
}

/** Up to a tenth earlier than due, so that several gateways do not ask together; never at once. */
function renewIn(lifeMs: number | null, random: number): number {
  if (lifeMs === null) return RECHECK_MS;
  const share = lifeMs * EARLY_SHARE;
  const due = lifeMs > EARLY_MS ? Math.min(share, lifeMs - EARLY_MS) : share;
  return Math.min(Math.max(due * (1 - 0.1 * random), FIRST_PAUSE_MS), LONGEST_WAIT_MS);
}
