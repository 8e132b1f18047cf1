import type {
  Amounts,
  Counter,
  CounterStore,
  HoldRequest,
  HoldResult,
  ReadResult,
  Seed,
  SettleResult,
} from '../counter-store.js';
import type { Operation, OperationResult } from './wire.js';

/** A store all of whose operations go the same way. */
export abstract class OperationStore implements CounterStore {
  protected abstract run(operation: Operation, done: (result: OperationResult) => void): void;

  hold(request: HoldRequest, done: (result: HoldResult) => void): void {
    this.run({ kind: 'hold', request }, (result) => done(result as HoldResult));
  }

  settle(id: string, actual: Amounts, done: (result: SettleResult) => void): void {
    this.run({ kind: 'settle', id, actual }, (result) => done(result as SettleResult));
  }

  read(counters: readonly Counter[], done: (result: ReadResult) => void): void {
    this.run({ kind: 'read', counters }, (result) => done(result as ReadResult));
  }

  seed(seed: Seed, done: (error: Error | null) => void): void {
    this.run({ kind: 'seed', seed }, (result) => done(result.kind === 'unavailable' ? result.error : null));
  }
}
