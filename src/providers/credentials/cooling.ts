import type { Refusal } from './credential-pool.js';

const LIMITED_MS = 5000;
const REFUSED_MS = 60_000;
const LONGEST_REFUSED_MS = 3_600_000;

/** How long a credential that was refused or limited lets others go first. All times in epoch milliseconds. */
export class Cooling {
  #until = 0;
  #refusedUntil = 0;
  #refusedFor = 0;

  /** 0 = never cooled. */
  get until(): number {
    return this.#until;
  }

  isCooling(now: number): boolean {
    return now < this.#until;
  }

  /**
   * Limited: as long as the provider says, else 5 s. Refused: a minute, twice as long each time it is refused again soon
   * after, up to an hour; it is forgotten when all went well for as long as it was out. Gives true when this is news, and
   * not one more answer to a request that left before the first.
   */
  add({ reason, cooldownMs }: Refusal, now: number): boolean {
    if (reason === 'limited') {
      this.#until = Math.max(this.#until, now + (cooldownMs ?? LIMITED_MS));
      return true;
    }
    if (now < this.#refusedUntil) return false;
    const isAgain = now < this.#refusedUntil + this.#refusedFor;
    this.#refusedFor = isAgain ? Math.min(this.#refusedFor * 2, LONGEST_REFUSED_MS) : REFUSED_MS;
    this.#refusedUntil = now + Math.max(this.#refusedFor, cooldownMs ?? 0);
    this.#until = Math.max(this.#until, this.#refusedUntil);
    return true;
  }
}
