import { rename, rm, stat } from 'node:fs/promises';

const MEBIBYTE = 1024 * 1024;
const CHECK_MS = 10_000;

export interface LogRotationOptions {
  /** Logs that Envoy writes. */
  readonly paths: readonly string[];
  /** Has Envoy open its logs anew (`reopenLogs`); rejects when it cannot be asked. */
  readonly reopen: () => Promise<void>;
  readonly onProblem: (message: string, error: unknown) => void;
  /** A log that is larger is rotated; default 256 MiB. */
  readonly maxBytes?: number;
  /** Rotated files that stay for each log; default 2. */
  readonly keep?: number;
  /** False: no file may be removed now, because somebody may still look for a line in it. */
  readonly mayRemove?: () => boolean;
  readonly checkMs?: number;
}

/** Keeps Envoy's logs below a size: `access.jsonl` becomes `access.jsonl.1`, that one `access.jsonl.2`, and so on. */
export interface LogRotation {
  /** Looks at the sizes once; resolves to the logs that were rotated. Never rejects. */
  check(): Promise<readonly string[]>;
  /** From now on at every `checkMs`. */
  start(): void;
  stop(): void;
}

/**
 * Rotates by rename, so that no line is lost: Envoy goes on writing to the renamed file until it has opened a new one, and who
 * follows the log reads both. While Envoy cannot be asked nothing is renamed.
 */
export function createLogRotation(options: LogRotationOptions): LogRotation {
  const rotation = new Rotation(options);
  let timer: NodeJS.Timeout | null = null;
  return {
    check: () => rotation.check(),
    start() {
      timer ??= setInterval(() => void rotation.check(), options.checkMs ?? CHECK_MS).unref();
    },
    stop() {
      if (timer) clearInterval(timer);
      timer = null;
    },
  };
}

class Rotation {
  readonly #options: LogRotationOptions;
  readonly #maxBytes: number;
  #running: Promise<readonly string[]> | null = null;
  #failing = false;

  constructor(options: LogRotationOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? 256 * MEBIBYTE;
  }

  check(): Promise<readonly string[]> {
    this.#running ??= this.#pass().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #pass(): Promise<readonly string[]> {
    const rotated: string[] = [];
    try {
      if (!(await this.#isDue())) return rotated;
      // An Envoy that cannot be asked would go on in the renamed files: they are only renamed when it can.
      await this.#options.reopen();
      for (const path of this.#options.paths) if (await this.#rotate(path)) rotated.push(path);
      if (rotated.length > 0) await this.#options.reopen();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#options.onProblem("Envoy's logs could not be rotated; it is tried again", error);
      this.#failing = true;
    }
    return rotated;
  }

  /** A log is too large; or it was renamed, by somebody who did not come further, and Envoy has not made a new one. */
  async #isDue(): Promise<boolean> {
    for (const path of this.#options.paths) {
      const size = await sizeOf(path);
      if (size > this.#maxBytes || (size < 0 && (await sizeOf(`${path}.1`)) >= 0)) return true;
    }
    return false;
  }

  async #rotate(path: string): Promise<boolean> {
    const { keep = 2, mayRemove } = this.#options;
    if ((await sizeOf(path)) <= this.#maxBytes) return false;
    const oldest = `${path}.${keep}`;
    if ((await sizeOf(oldest)) >= 0) {
      if (mayRemove?.() === false) return false;
      await rm(oldest, { force: true });
    }
    for (let number = keep - 1; number >= 1; number -= 1)
      await moveIfThere(`${path}.${number}`, `${path}.${number + 1}`);
    await rename(path, `${path}.1`);
    return true;
  }
}

/** -1 when there is no such file. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found?.size ?? -1;
}

async function moveIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
