const STEP_MS = 2;
/** Steps of one turn; what is due later stays in its slot for another turn. */
const SLOTS = 512;

interface Entry {
  readonly dueStep: number;
  readonly run: () => void;
}

/** One timer for all that is due, so that 10,000 streams cost no 10,000 timers. Exact to two milliseconds. */
export class Wheel {
  readonly #slots: Entry[][] = Array.from({ length: SLOTS }, () => []);
  #step = 0;
  #waiting = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param at milliseconds of `performance.now`; what has been due runs in the next step */
  add(at: number, run: () => void): void {
    if (this.#timer === null) {
      this.#step = Math.floor(performance.now() / STEP_MS);
      this.#timer = setInterval(() => this.#turn(), STEP_MS);
    }
    const dueStep = Math.max(Math.ceil(at / STEP_MS), this.#step + 1);
    this.#slots[dueStep % SLOTS]?.push({ dueStep, run });
    this.#waiting += 1;
  }

  #turn(): void {
    const now = Math.floor(performance.now() / STEP_MS);
    while (this.#step < now) {
      this.#step += 1;
      this.#runSlot(this.#step % SLOTS);
    }
    if (this.#waiting > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #runSlot(slot: number): void {
    const entries = this.#slots[slot] ?? [];
    if (entries.length === 0) return;
    this.#slots[slot] = entries.filter(({ dueStep }) => dueStep > this.#step);
    for (const { dueStep, run } of entries) {
      if (dueStep > this.#step) continue;
      this.#waiting -= 1;
      run();
    }
  }
}
