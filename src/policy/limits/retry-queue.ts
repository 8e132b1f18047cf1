/** Tries once; `delivered` false: to be tried again. Calls back exactly once. */
export type Task = (done: (delivered: boolean) => void) => void;

export type Later = (milliseconds: number, run: () => void) => void;

export interface RetryQueueOptions {
  /** Tasks kept; beyond it the oldest is dropped. */
  readonly most: number;
  readonly later: Later;
  /** A task was dropped. */
  readonly onLost: () => void;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;
/** Tried together: enough to empty the queue quickly over a network, few enough for one turn of the event loop. */
const BATCH = 64;

/** Tasks that wait for a store to come back: tried again with a growing pause, in batches. */
export class RetryQueue {
  readonly #options: RetryQueueOptions;
  readonly #waiting = new Set<Task>();
  #delay = FIRST_DELAY_MS;
  #scheduled = false;
  #running = false;
  /** Names the one timer that counts. */
  #timer = 0;

  constructor(options: RetryQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(task: Task): void {
    this.#waiting.add(task);
    this.#trim();
    this.#schedule(this.#delay);
  }

  /** There is a sign that the store is back. */
  wake(): void {
    this.#delay = FIRST_DELAY_MS;
    if (this.#waiting.size === 0 || this.#running) return;
    this.#scheduled = false;
    this.#schedule(0);
  }

  #trim(): void {
    for (const oldest of this.#waiting) {
      if (this.#waiting.size <= this.#options.most) return;
      this.#waiting.delete(oldest);
      this.#options.onLost();
    }
  }

  #schedule(delay: number): void {
    if (this.#scheduled || this.#running) return;
    this.#scheduled = true;
    this.#timer += 1;
    const timer = this.#timer;
    this.#options.later(delay, () => {
      if (timer !== this.#timer) return;
      this.#scheduled = false;
      this.#runBatch();
    });
  }

  #runBatch(): void {
    const batch: Task[] = [];
    for (const task of this.#waiting) if (batch.push(task) === BATCH) break;
    if (batch.length === 0) return;
    this.#running = true;
    let open = batch.length;
    let failed = 0;
    for (const task of batch) {
      this.#waiting.delete(task);
      task((delivered) => {
        if (!delivered) {
          failed += 1;
          this.#waiting.add(task);
        }
        open -= 1;
        if (open === 0) this.#finished(failed === 0);
      });
    }
  }

  #finished(delivered: boolean): void {
    this.#running = false;
    this.#trim();
    this.#delay = delivered ? FIRST_DELAY_MS : Math.min(LONGEST_DELAY_MS, this.#delay * 2);
    if (this.#waiting.size > 0) this.#schedule(delivered ? 0 : this.#delay);
  }
}

/** A timer that does not keep the process alive. */
export const realLater: Later = (milliseconds, run) => {
  setTimeout(run, milliseconds).unref();
};
