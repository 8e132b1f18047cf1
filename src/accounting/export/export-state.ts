import { appendFile, mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FilePosition } from '../records/write-batch.js';
import { writeAtomically } from '../write-atomically.js';
import type { ExportEvent } from './destination.js';

/** How far an exporter has come; all that it needs to go on after a crash. */
export interface ExportState {
  readonly version: 1;
  /** Everything before these is told. One for each segment, so for each process that wrote. */
  readonly positions: readonly FilePosition[];
  /** Ids of events behind the positions that are told already. */
  readonly delivered: readonly string[];
  /** Id → epoch milliseconds of the first try whose end is not known; only where the receiver forgets ids. */
  readonly attempted: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly rejected: number;
  /** Billable requests that name no customer. */
  readonly without_customer: number;
}

const EMPTY: ExportState = {
  version: 1,
  positions: [],
  delivered: [],
  attempted: {},
  sent: 0,
  rejected: 0,
  without_customer: 0,
};

/** The two files of one exporter. */
export class ExportFiles {
  readonly #statePath: string;
  readonly #rejectedPath: string;

  constructor(directory: string, name: string) {
    this.#statePath = statePath(directory, name);
    this.#rejectedPath = join(directory, `${encodeURIComponent(name)}.rejected.jsonl`);
  }

  /**
   * The beginning when there is no file yet. Rejects when it is not readable: telling everything again could be counted twice by a
   * receiver that forgets.
   */
  async load(): Promise<ExportState> {
    const text = await readFile(this.#statePath, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return EMPTY;
    const state = parseState(text);
    if (state === null) throw new Error(`${this.#statePath} cannot be read; delete it to send everything again`);
    return state;
  }

  save(state: ExportState): Promise<void> {
    return writeAtomically(this.#statePath, `${JSON.stringify(state)}\n`);
  }

  /** Puts aside what the receiver will never take, one JSON object a line. On disk when this resolves. */
  async reject(
    refused: readonly { readonly event: ExportEvent; readonly reason: string }[],
    time: string,
  ): Promise<void> {
    if (refused.length === 0) return;
    const lines = refused.map(({ event, reason }) => `${JSON.stringify({ time, reason, ...event })}\n`);
    await mkdir(dirname(this.#rejectedPath), { recursive: true, mode: 0o700 });
    await appendFile(this.#rejectedPath, lines.join(''), { mode: 0o600 });
    const handle = await open(this.#rejectedPath, 'r');
    await handle.sync().finally(() => handle.close());
  }
}

export function statePath(directory: string, name: string): string {
  return join(directory, `${encodeURIComponent(name)}.json`);
}

export function parseState(text: string): ExportState | null {
  try {
    const value = JSON.parse(text) as Partial<ExportState>;
    return value.version === 1 && Array.isArray(value.positions) ? { ...EMPTY, ...value } : null;
  } catch {
    return null;
  }
}
