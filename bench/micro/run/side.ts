import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Ask, Told } from './protocol.js';

/** As the service itself runs (`cli/service-flags.ts`), with collection on demand. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'];

/** One revision's process. */
export class Side {
  readonly #child: ChildProcess;
  names: readonly string[] = [];
  missing: Readonly<Record<string, string>> = {};

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param folder where the compiled cases lie, with their sources beside @param files of the cases */
  static async start(folder: string, files: readonly string[]): Promise<Side> {
    const paths = files.map((file) => join(folder, file));
    const child = fork(join(folder, 'run', 'child.js'), paths, {
      execArgv: FLAGS,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const side = new Side(child);
    const told = await side.#answer();
    if (told.kind === 'ready') Object.assign(side, { names: told.names, missing: told.missing });
    return side;
  }

  async ask(ask: Ask): Promise<Told> {
    this.#child.send(ask);
    return this.#answer();
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #answer(): Promise<Told> {
    const gone = new AbortController();
    const ended = once(this.#child, 'exit', { signal: gone.signal }).then(
      (): Told => ({ kind: 'failed', message: 'the process ended' }),
    );
    const told = once(this.#child, 'message', { signal: gone.signal }).then(([message]) => message as Told);
    try {
      return await Promise.race([told, ended]);
    } finally {
      gone.abort();
      await Promise.allSettled([told, ended]);
    }
  }
}
