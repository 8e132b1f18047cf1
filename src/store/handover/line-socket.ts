import type { Socket } from 'node:net';

/** Messages as lines of JSON in both directions. What is sent in one turn goes in one write. */
export class LineSocket {
  readonly #socket: Socket;
  #out: string[] = [];
  #rest = '';

  /** `onMessage` gets parsed JSON; a line that is none ends the connection. `onClose` comes once, whatever the reason. */
  constructor(socket: Socket, on: { message: (message: unknown) => void; close: (error: Error) => void }) {
    this.#socket = socket.setEncoding('utf8');
    let problem = new Error('the connection was closed');
    socket.on('data', (chunk: string) => this.#read(chunk, on.message));
    socket.on('error', (error) => {
      problem = error;
    });
    socket.on('close', () => on.close(problem));
  }

  send(message: object): void {
    if (this.#out.length === 0) queueMicrotask(() => this.#flush());
    this.#out.push(JSON.stringify(message));
  }

  /** Resolves when there is room for more, or the connection has ended. */
  async drained(): Promise<void> {
    this.#flush();
    if (this.#socket.destroyed || !this.#socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve).once('close', resolve);
    });
  }

  /** What was sent still arrives. */
  end(): void {
    this.#flush();
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #flush(): void {
    if (this.#out.length === 0) return;
    const lines = this.#out;
    this.#out = [];
    if (this.#socket.writable) this.#socket.write(`${lines.join('\n')}\n`);
  }

  #read(chunk: string, onMessage: (message: unknown) => void): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = parse(line);
      if (message === undefined) {
        this.#socket.destroy(new Error('a line that is no JSON'));
        return;
      }
      onMessage(message);
    }
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
