import type {
  Amounts,
  Counter,
  CounterStore,
  HoldRequest,
  HoldResult,
  ReadResult,
  Seed,
  SettleResult,
} from '../../../src/store/counter-store.js';

/** A store that can be taken away. */
export class FlakyStore implements CounterStore {
  /** `lost`: the operation is done, its answer does not come. */
  mode: 'up' | 'down' | 'lost' = 'up';
  /** Operations asked for. */
  asked = 0;
  /** Holds that came through. */
  readonly made: HoldRequest[] = [];
  readonly #store: CounterStore;

  constructor(store: CounterStore) {
    this.#store = store;
  }

  hold(request: HoldRequest, done: (result: HoldResult) => void): void {
    this.#through(done, (answer) => {
      this.made.push(request);
      this.#store.hold(request, answer);
    });
  }

  settle(id: string, actual: Amounts, done: (result: SettleResult) => void): void {
    this.#through(done, (answer) => this.#store.settle(id, actual, answer));
  }

  read(counters: readonly Counter[], done: (result: ReadResult) => void): void {
    this.#through(done, (answer) => this.#store.read(counters, answer));
  }

  seed(seed: Seed, done: (error: Error | null) => void): void {
    this.#store.seed(seed, done);
  }

  #through<R>(
    done: (result: R | Unavailable) => void,
    work: (answer: (result: R | Unavailable) => void) => void,
  ): void {
    this.asked += 1;
    if (this.mode === 'up') {
      work(done);
      return;
    }
    if (this.mode === 'lost') work(() => undefined);
    done({ kind: 'unavailable', error: new Error('out of reach') });
  }
}

interface Unavailable {
  readonly kind: 'unavailable';
  readonly error: Error;
}
