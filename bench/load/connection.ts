import { connect, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.js';

/** One request and its answer; times in milliseconds of this process's clock. */
export interface Exchange {
  /** When it should have been sent. */
  readonly due: number;
  readonly sent: number;
  /** First byte of the body; 0 if there was none. */
  firstByte: number;
  end: number;
  ok: boolean;
  /** Why it is not `ok`. */
  problem: string;
}

export interface ConnectionEvents {
  /** First byte of the answer's body. */
  begun(exchange: Exchange): void;
  /** The answer is complete, or the connection is gone (`ok` is false then). */
  ended(exchange: Exchange, connection: Connection): void;
  /** The connection is gone while it waited for its next request. */
  gone(connection: Connection): void;
  /** A piece of an answer's body. */
  body(bytes: Buffer): void;
}

export interface ConnectionOptions extends ConnectionEvents {
  readonly port: number;
  /** That counts as good. */
  readonly statuses: readonly number[];
  /** The connection is closed when in so many milliseconds of a request no byte goes or comes. */
  readonly patience: number;
}

/** One keep-alive connection: a request, its whole answer, the next request. */
export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #reader = new AnswerReader();
  #exchange: Exchange | null = null;
  #problem = 'the connection was closed';
  closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = connect(options.port, '127.0.0.1').setNoDelay(true);
    this.#socket.on('data', (piece) => this.#read(piece));
    this.#socket.on('error', ({ message }) => {
      this.#problem = message;
    });
    this.#socket.on('close', () => this.#gone());
    this.#socket.setTimeout(options.patience, () => this.#silent());
  }

  send(request: Buffer, due: number): void {
    this.#exchange = { due, sent: performance.now(), firstByte: 0, end: 0, ok: false, problem: '' };
    this.#socket.write(request);
  }

  close(): void {
    this.closed = true;
    this.#exchange = null;
    this.#socket.destroy();
  }

  #read(piece: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    const read = this.#reader.push(piece);
    if (read === 'head') return;
    if (exchange.firstByte === 0) {
      exchange.firstByte = performance.now();
      exchange.ok = this.#options.statuses.includes(this.#reader.status);
      if (!exchange.ok)
        exchange.problem = `status ${this.#reader.status}: ${this.#reader.body.toString('utf8', 0, 300)}`;
      this.#options.begun(exchange);
    }
    this.#options.body(this.#reader.body);
    if (read === 'end') this.#finish(exchange.ok);
  }

  /** Of a connection without a request, silence is all there is. */
  #silent(): void {
    if (this.#exchange === null) return;
    this.#problem = `nothing moved for ${this.#options.patience / 1000} s`;
    this.#socket.destroy();
  }

  #gone(): void {
    const before = this.closed;
    this.closed = true;
    if (this.#exchange !== null) {
      this.#exchange.problem ||= this.#problem;
      this.#finish(false);
    } else if (!before) this.#options.gone(this);
  }

  #finish(ok: boolean): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#exchange = null;
    exchange.end = performance.now();
    exchange.ok = ok;
    this.#options.ended(exchange, this);
  }
}
