import { CODE, ConnectionError } from './protocol.js';

const MOST_FRAMES = 10_000;
const WITHIN_MS = 60_000;

/**
 * Frames that cost us work and bring no request on: settings, pings, resets, empty data, what is unknown. An honest peer sends a
 * few of them for each request.
 */
export class FloodGuard {
  readonly #now: () => number;
  #frames = 0;
  #since: number;

  /** @param now milliseconds of any clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** @throws ConnectionError for too many without `progress` in between */
  count(): void {
    this.#frames += 1;
    if (this.#frames < MOST_FRAMES) return;
    const now = this.#now();
    if (now - this.#since < WITHIN_MS) throw new ConnectionError(CODE.enhanceYourCalm, 'frames without any use');
    this.#since = now;
    this.#frames = 0;
  }

  progress(): void {
    this.#frames = 0;
  }
}
