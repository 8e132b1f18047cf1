import { write, writeSync } from 'node:fs';

/** Lines waiting for a reader that does not read are dropped above this: a stuck log must not eat the memory. UTF-16 units. */
const LONGEST_QUEUE = 16 * 1024 * 1024;
const RETRY_MS = 50;
/** After a write, lines are collected this long for the next one: it wakes a thread, and that this one, which is worth 50 lines. */
const COLLECT_MS = 100;
/** More than this is not kept waiting. UTF-16 units. */
const ENOUGH = 64 * 1024;
/** What `flush` spends on a full pipe before it gives up. */
const FLUSH_MS = 500;

/**
 * Writes lines to a file descriptor without ever blocking the event loop: one asynchronous write at a time, what comes
 * meanwhile and soon after goes together into the next one. When the reader has gone (EPIPE), lines are thrown away. Not pino's own
 * destination: that one never returns from `flushSync` when the pipe is closed, so the process could not exit.
 */
export class LineOutput {
  readonly #descriptor: number;
  #waiting: string[] = [];
  #waitingLength = 0;
  /** What an asynchronous write could not take yet. */
  #rest: Buffer | null = null;
  #writing = false;
  #broken = false;
  /** What waits leaves when the write under way is done. */
  #hasty = false;
  /** Until then lines are collected; monotonic milliseconds. */
  #collectUntil = 0;
  #collecting: NodeJS.Timeout | null = null;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(line: string): void {
    if (this.#broken || this.#waitingLength + line.length > LONGEST_QUEUE) return;
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (this.#writing) return;
    if (this.#waitingLength >= ENOUGH) this.#next();
    else if (this.#collecting === null) this.#soon();
  }

  /** What waits is collected no longer: it leaves as soon as no write is under way. */
  hasten(): void {
    if (this.#waitingLength === 0) return;
    if (this.#writing) this.#hasty = true;
    else this.#next();
  }

  /**
   * Writes what waits, synchronously; a busy descriptor is asked again for half a second (a blocking one waits for its
   * reader, as every program does). A write already under way finishes by itself.
   */
  flush(): void {
    const deadline = performance.now() + FLUSH_MS;
    let bytes = this.#take();
    while (bytes.length > 0 && !this.#broken && performance.now() < deadline) {
      try {
        bytes = bytes.subarray(writeSync(this.#descriptor, bytes));
      } catch (error) {
        if (isBusy(error)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
        else this.#broken = true;
      }
    }
  }

  /** Not unreferenced: a process that ends by itself says its last words. */
  #soon(): void {
    const left = this.#collectUntil - performance.now();
    if (left <= 0) this.#next();
    else this.#collecting = setTimeout(() => this.#next(), left);
  }

  #next(): void {
    if (this.#collecting !== null) clearTimeout(this.#collecting);
    this.#collecting = null;
    if (this.#writing) return;
    const bytes = this.#take();
    if (bytes.length === 0 || this.#broken) return;
    this.#writing = true;
    write(this.#descriptor, bytes, (error, written) => {
      this.#writing = false;
      if (error !== null && !isBusy(error)) {
        this.#broken = true;
        this.#take();
        return;
      }
      const rest = error === null ? bytes.subarray(written) : bytes;
      this.#rest = rest.length === 0 ? null : rest;
      if (error !== null) this.#later();
      else if (this.#rest !== null || this.#hasty || this.#waitingLength >= ENOUGH) this.#next();
      else {
        this.#collectUntil = performance.now() + COLLECT_MS;
        if (this.#waitingLength > 0) this.#soon();
      }
    });
  }

  #later(): void {
    this.#writing = true;
    setTimeout(() => {
      this.#writing = false;
      this.#next();
    }, RETRY_MS).unref();
  }

  #take(): Buffer {
    const bytes = Buffer.concat([this.#rest ?? Buffer.alloc(0), Buffer.from(this.#waiting.join(''))]);
    this.#rest = null;
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#hasty = false;
    return bytes;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY');
}
