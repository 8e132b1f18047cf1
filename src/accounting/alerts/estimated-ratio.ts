const MINUTE_MS = 60_000;
const MINUTES = 60;
/** Fewer say nothing: one of one is 100 %. */
const FEWEST_REQUESTS = 20;

export interface Ratio {
  /** 0 to 1. */
  readonly share: number;
  readonly requests: number;
}

/** Share of requests with estimated usage over the last hour, to the minute. */
export class EstimatedRatio {
  readonly #requests = new Uint32Array(MINUTES);
  readonly #estimated = new Uint32Array(MINUTES);
  #minute = 0;
  #sums = { requests: 0, estimated: 0 };

  /** Null while there are too few to say. */
  add(isEstimated: boolean, now: number): Ratio | null {
    const minute = Math.floor(now / MINUTE_MS);
    this.#turnTo(minute);
    const slot = minute % MINUTES;
    this.#requests[slot] = (this.#requests[slot] ?? 0) + 1;
    this.#sums.requests += 1;
    if (isEstimated) {
      this.#estimated[slot] = (this.#estimated[slot] ?? 0) + 1;
      this.#sums.estimated += 1;
    }
    const { requests, estimated } = this.#sums;
    return requests < FEWEST_REQUESTS ? null : { share: estimated / requests, requests };
  }

  /** Empties the minutes in between. A clock that was set back goes on in the newest one. */
  #turnTo(minute: number): void {
    const from = Math.max(this.#minute + 1, minute - MINUTES + 1);
    for (let next = from; next <= minute; next += 1) {
      const slot = next % MINUTES;
      this.#sums.requests -= this.#requests[slot] ?? 0;
      this.#sums.estimated -= this.#estimated[slot] ?? 0;
      this.#requests[slot] = 0;
      this.#estimated[slot] = 0;
    }
    this.#minute = Math.max(this.#minute, minute);
  }
}
