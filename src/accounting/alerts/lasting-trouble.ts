/** Tries to tell of a state: null = told, else milliseconds until it may be told again. */
export type TellState = (isBad: boolean) => number | null;

/**
 * A trouble that begins and ends, told when it changes. Where it comes and goes faster than it may be told, what it came to is told
 * later: nobody is left with the wrong news.
 */
export class LastingTrouble {
  readonly #tell: TellState;
  #isBad = false;
  #toldBad = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(tell: TellState) {
    this.#tell = tell;
  }

  set(isBad: boolean): void {
    this.#isBad = isBad;
    this.#settle();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #settle(): void {
    if (this.#timer || this.#isBad === this.#toldBad) return;
    const again = this.#tell(this.#isBad);
    if (again === null) this.#toldBad = this.#isBad;
    else {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#settle();
      }, again).unref();
    }
  }
}
