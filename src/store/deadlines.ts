export interface Waiting {
  /** What is over needs no end. */
  readonly isOver: boolean;
  expire(): void;
}

/** Ends what has waited too long, with one timer for all: everything waits equally long. */
export class Deadlines {
  readonly #milliseconds: number;
  #waiting: { readonly what: Waiting; readonly until: number }[] = [];
  #first = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  add(what: Waiting): void {
    this.#waiting.push({ what, until: performance.now() + this.#milliseconds });
    this.#timer ??= setTimeout(() => this.#expire(), this.#milliseconds).unref();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #expire(): void {
    this.#timer = null;
    const now = performance.now();
    for (let next = this.#waiting[this.#first]; next !== undefined; next = this.#waiting[this.#first]) {
      const left = next.until - now;
      if (!next.what.isOver && left > 0) {
        this.#timer = setTimeout(() => this.#expire(), Math.ceil(left)).unref();
        break;
      }
      this.#first += 1;
      if (!next.what.isOver) next.what.expire();
    }
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }
}
