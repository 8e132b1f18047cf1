import { keepFixed, restartNeeded } from './fixed-settings.js';
import { type LoadContext, type Loaded, loadConfig, type Refused } from './load.js';
import { type Problem, pathText } from './problem.js';
import { errorCode } from './references.js';
import type { Snapshot } from './snapshot.js';
import { type Watching, watchConfig } from './watch.js';

export interface ConfigListeners {
  /** A new snapshot is in use. */
  readonly onChange: (snapshot: Snapshot) => void;
  /** The file has mistakes (the old snapshot stays), or parts of it need a restart (the rest is in use). */
  readonly onProblems: (problems: readonly Problem[]) => void;
}

/** Reads the file and loads it. A file that cannot be read is a problem like any other. */
export function loadConfigFile(path: string, context: LoadContext): Loaded | Refused {
  try {
    return loadConfig({ path, text: context.readFile(path) }, context);
  } catch (error) {
    const message = `cannot read the file (${errorCode(error)})`;
    return { problems: [{ file: path, line: 1, column: 1, path: '', message }], files: [] };
  }
}

/** The configuration of a running process: the last good snapshot, renewed when the file or one of its secrets changes. */
export class ConfigSource {
  #current: Snapshot;
  readonly #watching: Watching;
  #closed = false;
  readonly #path: string;
  readonly #context: LoadContext;
  readonly #listeners: ConfigListeners;

  /** `loaded`: the first result of `loadConfigFile(path, context)`; a process does not start without a good one. */
  constructor(path: string, loaded: Loaded, context: LoadContext, listeners: ConfigListeners) {
    this.#path = path;
    this.#current = loaded.snapshot;
    this.#context = context;
    this.#listeners = listeners;
    this.#watching = watchConfig(path, loaded.files, () => void this.reload());
  }

  current(): Snapshot {
    return this.#current;
  }

  /**
   * Build, validate, swap. Resolves to what is wrong: problems of a refused file, or settings that need a restart.
   * Empty = the new snapshot is in use as it is.
   */
  async reload(): Promise<readonly Problem[]> {
    if (this.#closed) return [];
    const result = loadConfigFile(this.#path, this.#context);
    // A refused file's secrets too: they may be what has to be mended.
    this.#watching.update(result.files);
    const problems = 'problems' in result ? result.problems : this.#adopt(result.snapshot);
    if (problems.length > 0) this.#listeners.onProblems(problems);
    return problems;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watching.close();
  }

  #adopt(next: Snapshot): readonly Problem[] {
    const fixed = restartNeeded(this.#current, next).map((mistake) => {
      return { file: this.#path, line: 1, column: 1, path: pathText(mistake.path), message: mistake.message };
    });
    const snapshot = fixed.length === 0 ? next : keepFixed(this.#current, next);
    const isNew = snapshot.version !== this.#current.version;
    if (isNew) this.#current = snapshot;
    if (isNew) this.#listeners.onChange(snapshot);
    return fixed;
  }
}
