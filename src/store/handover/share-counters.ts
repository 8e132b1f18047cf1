import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { CounterStore } from '../counter-store.js';
import { Deadlines, type Waiting } from '../deadlines.js';
import type { PortableCounters } from '../memory/memory-counters.js';
import { connectCounters, type RemoteCounters } from './connect-counters.js';
import { LineSocket } from './line-socket.js';
import { OperationStore } from './operations.js';
import {
  decodeOperation,
  encodeResult,
  type Operation,
  type OperationResult,
  perform,
  type WireRequest,
} from './wire.js';

/** Counters of this process until a newer one takes them; from then on theirs, asked through a socket. */
export interface SharedCounters extends CounterStore {
  /** True once the counters are somebody else's. */
  readonly isTaken: boolean;
  close(): Promise<void>;
}

export interface ShareOptions {
  readonly store: PortableCounters;
  /** Where others ask (`connectCounters`) and take (`takeCounters`). A socket left there by a dead process is replaced. */
  readonly socketPath: string;
  /** An operation that had no answer by then, 5000 unless given, is `unavailable`. */
  readonly timeoutMs?: number;
  /**
   * Once whoever took the counters has gone: socket of another one that has them, or knows who has; null = nobody else is known.
   * Absent: never another one.
   */
  readonly successor?: () => string | null;
  /** Others are answered from then on; absent = at once. */
  readonly filled?: Promise<void>;
}

/** Lines of state that are written in one turn of the event loop. */
const AT_ONCE = 200;

export async function shareCounters(options: ShareOptions): Promise<SharedCounters> {
  const shared = new Sharing(options);
  await shared.listen(options.socketPath);
  return shared;
}

/** `{"take": socket path of the newer one}`, answered by lines of state and `{"end": true}`; then `{"taken": true}`. */
interface TakeMessage {
  readonly take?: string;
  readonly taken?: true;
}

class Queued implements Waiting {
  readonly operation: Operation;
  readonly #done: (result: OperationResult) => void;
  isOver = false;

  constructor(operation: Operation, done: (result: OperationResult) => void) {
    this.operation = operation;
    this.#done = done;
  }

  /** Is handed on: what comes now is the answer. */
  leave(): (result: OperationResult) => void {
    this.isOver = true;
    return this.#done;
  }

  expire(): void {
    this.leave()({ kind: 'unavailable', error: new Error('the counters were not handed over in time') });
  }
}

class Sharing extends OperationStore implements SharedCounters {
  readonly #local: PortableCounters;
  readonly #timeoutMs: number;
  readonly #successor: () => string | null;
  readonly #filled: Promise<void>;
  readonly #deadlines: Deadlines;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Whom it is given to, while that is under way. */
  #taker: LineSocket | null = null;
  #queue: Queued[] = [];
  #remote: RemoteCounters | null = null;

  constructor({ store, timeoutMs = 5000, successor = () => null, filled = Promise.resolve() }: ShareOptions) {
    super();
    this.#local = store;
    this.#timeoutMs = timeoutMs;
    this.#successor = successor;
    this.#filled = filled;
    this.#deadlines = new Deadlines(timeoutMs);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get isTaken(): boolean {
    return this.#remote !== null;
  }

  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(path, () => resolve());
    });
    chmodSync(path, 0o600);
  }

  async close(): Promise<void> {
    this.#deadlines.close();
    this.#remote?.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  protected run(operation: Operation, done: (result: OperationResult) => void): void {
    if (this.#taker === null) {
      perform(this.#remote ?? this.#local, operation, done);
      return;
    }
    const queued = new Queued(operation, done);
    this.#queue.push(queued);
    this.#deadlines.add(queued);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    let path = '';
    const lines = new LineSocket(socket, {
      message: (message) => {
        const { take, taken } = message as TakeMessage;
        if (take !== undefined) {
          path = take;
          void this.#give(lines);
        } else if (taken) this.#given(lines, path);
        else void this.#answer(lines, message as WireRequest);
      },
      close: () => {
        this.#sockets.delete(socket);
        // It is dead, or gave up: nothing has changed here since, so all goes on as before.
        if (this.#taker === lines) this.#resume();
      },
    });
  }

  async #answer(lines: LineSocket, { n, operation }: WireRequest): Promise<void> {
    await this.#filled;
    this.run(decodeOperation(operation), (result) => lines.send({ n, result: encodeResult(result) }));
  }

  /** From here on nothing changes the local counters, so that what is sent is all. */
  async #give(lines: LineSocket): Promise<void> {
    if (this.#taker !== null || this.#remote?.isReachable) {
      lines.destroy();
      return;
    }
    this.#taker = lines;
    let count = 0;
    // Whoever had them is gone with what it knew; what is here is older than the ledger.
    const state = this.#remote === null ? this.#local.exportState() : [];
    for (const line of state) {
      lines.send({ line });
      count += 1;
      if (count % AT_ONCE === 0) {
        await lines.drained();
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#taker !== lines) return;
      }
    }
    lines.send({ end: true });
  }

  #given(lines: LineSocket, path: string): void {
    if (this.#taker !== lines) return;
    this.#remote?.close();
    this.#remote = connectCounters(path, this.#timeoutMs, () => this.#successor() ?? path);
    this.#resume();
    lines.end();
  }

  #resume(): void {
    this.#taker = null;
    const queue = this.#queue;
    this.#queue = [];
    for (const queued of queue) if (!queued.isOver) this.run(queued.operation, queued.leave());
  }
}
