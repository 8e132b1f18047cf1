import { connect } from 'node:net';
import type { Amounts, CounterStore } from '../counter-store.js';
import { Deadlines, type Waiting } from '../deadlines.js';
import { LineSocket } from './line-socket.js';
import { OperationStore } from './operations.js';
import { decodeResult, encodeOperation, type Operation, type OperationResult, type WireReply } from './wire.js';

export interface RemoteCounters extends CounterStore {
  /** Operations are answered there, or may be: false after a connection was lost or refused. */
  readonly isReachable: boolean;
  close(): void;
}

const NO_AMOUNTS: Amounts = { requests: 0, input_tokens: 0, output_tokens: 0, tokens: 0, cost: 0 };

/**
 * The counters that another process of this host shares under `socketPath`. After a lost connection the next operation
 * connects again, to where `again` says; what had no answer then, or after `timeoutMs`, is `unavailable`.
 */
export function connectCounters(socketPath: string, timeoutMs = 5000, again = () => socketPath): RemoteCounters {
  return new ForwardedCounters(socketPath, timeoutMs, again);
}

class Pending implements Waiting {
  readonly operation: Operation;
  readonly #done: (result: OperationResult) => void;
  isOver = false;

  constructor(operation: Operation, done: (result: OperationResult) => void) {
    this.operation = operation;
    this.#done = done;
  }

  answer(result: OperationResult): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#done(result);
  }

  expire(): void {
    this.answer({ kind: 'unavailable', error: new Error('no answer in time') });
  }
}

class ForwardedCounters extends OperationStore implements RemoteCounters {
  readonly #again: () => string;
  readonly #deadlines: Deadlines;
  readonly #pending = new Map<number, Pending>();
  #lines: LineSocket | null = null;
  #count = 0;
  isReachable = true;

  constructor(path: string, timeoutMs: number, again: () => string) {
    super();
    this.#again = again;
    this.#deadlines = new Deadlines(timeoutMs);
    this.#lines = this.#connect(path);
  }

  close(): void {
    this.#deadlines.close();
    this.#lines?.destroy();
  }

  protected run(operation: Operation, done: (result: OperationResult) => void): void {
    const pending = new Pending(operation, done);
    this.#deadlines.add(pending);
    this.#send(pending);
  }

  #send(pending: Pending): void {
    this.#lines ??= this.#connect(this.#again());
    this.#count += 1;
    this.#pending.set(this.#count, pending);
    this.#lines.send({ n: this.#count, operation: encodeOperation(pending.operation) });
  }

  #connect(path: string): LineSocket {
    const socket = connect(path).once('connect', () => {
      this.isReachable = true;
    });
    const lines = new LineSocket(socket, {
      message: (message) => this.#take(message as WireReply),
      close: (error) => {
        if (this.#lines !== lines) return;
        this.#lines = null;
        this.isReachable = false;
        const cut = [...this.#pending.values()];
        this.#pending.clear();
        for (const pending of cut) pending.answer({ kind: 'unavailable', error });
      },
    });
    return lines;
  }

  #take({ n, result }: WireReply): void {
    const pending = this.#pending.get(n);
    this.#pending.delete(n);
    if (pending === undefined) return;
    const decoded = decodeResult(result);
    // Too late for the request that asked.
    if (pending.isOver && decoded.kind === 'held' && pending.operation.kind === 'hold')
      this.settle(pending.operation.request.id, NO_AMOUNTS, () => undefined);
    pending.answer(decoded);
  }
}
