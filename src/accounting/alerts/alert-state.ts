import { readFileSync } from 'node:fs';
import { writeAtomically } from '../write-atomically.js';

/** An alert on its way; also the body of the webhook. */
export interface Alert {
  /** The same for the same event, also from another process: receivers can tell it from a new one. */
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  /** ISO 8601 UTC. */
  readonly time: string;
  /** For people; the field that chat programs show. */
  readonly text: string;
  readonly details: object;
}

/** What has to outlive a restart: what was told, and what is still to be. */
export interface AlertState {
  /** Id → when its window is over, epoch milliseconds. */
  readonly told: Map<string, number>;
  readonly waiting: Alert[];
}

/** Empty when there is no file, or none that can be read: a second alert is better than none. */
export function readAlertState(path: string): AlertState {
  try {
    const { told, waiting } = JSON.parse(readFileSync(path, 'utf8')) as { told?: object; waiting?: unknown };
    const windows = Object.entries(told ?? {}).filter(([, until]) => typeof until === 'number');
    return { told: new Map(windows), waiting: Array.isArray(waiting) ? waiting : [] };
  } catch {
    return { told: new Map(), waiting: [] };
  }
}

/** Writes the state after each change, one write at a time; a change meanwhile is written by the next one. */
export class AlertStateFile {
  readonly #path: string;
  readonly #state: AlertState;
  readonly #onProblem: (message: string, error: unknown) => void;
  #writing: Promise<void> | null = null;
  #changed = false;

  constructor(path: string, state: AlertState, onProblem: (message: string, error: unknown) => void) {
    this.#path = path;
    this.#state = state;
    this.#onProblem = onProblem;
  }

  save(): void {
    this.#changed = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /** Resolves when everything so far is on disk, or could not be written. */
  async saved(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#changed) {
      this.#changed = false;
      const text = JSON.stringify({ told: Object.fromEntries(this.#state.told), waiting: this.#state.waiting });
      await writeAtomically(this.#path, text).catch((error) => this.#onProblem('alerts: state not written', error));
    }
  }
}
