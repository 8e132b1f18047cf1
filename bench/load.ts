import { connect, type Socket } from 'node:net';

/** What one run of the load generator is to do; comes as JSON in argv. */
export interface Load {
  readonly port: number;
  readonly requests: number;
  readonly connections: number;
  /** Model name as the gateway under test wants it. */
  readonly model: string;
  readonly stream: boolean;
  /** Bytes of prompt. */
  readonly prompt: number;
  readonly key: string;
}

export interface LoadResult {
  readonly ok: number;
  readonly failed: number;
  readonly seconds: number;
  /** Milliseconds: to the first byte of the answer, and to its end. */
  readonly firstByte: { readonly p50: number; readonly p99: number };
  readonly total: { readonly p50: number; readonly p99: number };
}

const END_CHUNKED = Buffer.from('\r\n0\r\n\r\n');

/** One keep-alive connection: a request, its whole answer, the next request. */
class Connection {
  readonly #socket: Socket;
  #buffer = Buffer.alloc(0);
  #begun = 0;
  #first = 0;
  #done: ((result: { ok: boolean; first: number; total: number }) => void) | null = null;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('close', () => this.#finish(false));
    this.#socket.on('error', () => this.#finish(false));
  }

  send(request: Buffer): Promise<{ ok: boolean; first: number; total: number }> {
    this.#buffer = Buffer.alloc(0);
    this.#first = 0;
    this.#begun = performance.now();
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#first === 0) this.#first = performance.now() - this.#begun;
    // Only the end matters: headers once, then the last bytes.
    this.#buffer =
      this.#buffer.length > 65_536
        ? Buffer.concat([this.#buffer.subarray(0, 4096), this.#buffer.subarray(-16), chunk])
        : Buffer.concat([this.#buffer, chunk]);
    const head = this.#buffer.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = /content-length: (\d+)/i.exec(this.#buffer.toString('latin1', 0, head));
    const whole = length
      ? this.#buffer.length >= head + 4 + Number(length[1])
      : this.#buffer.subarray(-END_CHUNKED.length).equals(END_CHUNKED);
    if (whole) this.#finish(this.#buffer.toString('latin1', 9, 12) === '200');
  }

  #finish(ok: boolean): void {
    const done = this.#done;
    this.#done = null;
    done?.({ ok, first: this.#first, total: performance.now() - this.#begun });
  }
}

function requestBytes(load: Load): Buffer {
  const content = 'The quick brown fox jumps over the lazy dog. '
    .repeat(Math.ceil(load.prompt / 45))
    .slice(0, load.prompt);
  const body = JSON.stringify({
    messages: [{ role: 'user', content }],
    model: load.model,
    ...(load.stream ? { stream: true } : {}),
  });
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: bench',
    `authorization: Bearer ${load.key}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function run(load: Load): Promise<LoadResult> {
  const request = requestBytes(load);
  const results: { ok: boolean; first: number; total: number }[] = [];
  let left = load.requests;
  const begun = performance.now();
  const worker = async (): Promise<void> => {
    let connection = new Connection(load.port);
    while (left > 0) {
      left -= 1;
      const result = await connection.send(request);
      results.push(result);
      if (!result.ok) {
        connection.close();
        connection = new Connection(load.port);
      }
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: load.connections }, worker));
  const seconds = (performance.now() - begun) / 1000;
  const good = results.filter((result) => result.ok);
  const sorted = (pick: (result: { first: number; total: number }) => number): number[] =>
    good.map(pick).sort((left, right) => left - right);
  const [first, total] = [sorted((result) => result.first), sorted((result) => result.total)];
  return {
    ok: good.length,
    failed: results.length - good.length,
    seconds,
    firstByte: { p50: percentile(first, 0.5), p99: percentile(first, 0.99) },
    total: { p50: percentile(total, 0.5), p99: percentile(total, 0.99) },
  };
}

process.on('message', (load: Load) => {
  void run(load).then((result) => process.send?.(result));
});
