import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

export interface Watching {
  /** Watches other secret files from now on; what has been seen of the others stays known. */
  update(secretFiles: readonly string[]): void;
  close(): void;
}

/** Editors and Kubernetes touch several names for one change; this long after the last of them we look. */
const QUIET_MS = 50;

/**
 * Calls `onChange` after the content behind `path` or one of `secretFiles` may have changed: written in place, replaced
 * by rename, or swapped behind a symlink (a ConfigMap's `..data`). A file that does not exist yet counts too.
 *
 * Directories are watched, not files: a watch on a file follows the old inode into the void after a rename. Where the
 * system has no notifications (some network file systems), SIGHUP or a restart is needed.
 */
export function watchConfig(path: string, secretFiles: readonly string[], onChange: () => void): Watching {
  return new DirectoryWatch(path, secretFiles, onChange);
}

class DirectoryWatch implements Watching {
  readonly #path: string;
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  /** Identity, size and time of every file: what else happens in the directories does not concern us. */
  #seen: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | null = null;

  constructor(path: string, secretFiles: readonly string[], onChange: () => void) {
    this.#path = path;
    this.#onChange = onChange;
    this.update(secretFiles);
  }

  update(secretFiles: readonly string[]): void {
    const files = new Set([this.#path, ...secretFiles]);
    this.#seen = new Map([...files].map((file) => [file, this.#seen.get(file) ?? fileState(file)]));
    this.#arm();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Watches the directory of every name and of what it leads to, and no other. */
  #arm(): void {
    const wanted = new Set([...this.#seen.keys()].flatMap((file) => [dirname(file), dirname(realPath(file))]));
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of wanted) this.#open(directory);
  }

  #open(directory: string): void {
    if (this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#settle());
      watcher.on('error', () => this.#forget(directory, watcher));
      this.#watchers.set(directory, watcher);
    } catch {
      // The directory does not exist (yet): nothing to watch; the load has reported the missing file.
    }
  }

  #forget(directory: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(directory) === watcher) this.#watchers.delete(directory);
    this.#settle();
  }

  #settle(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), QUIET_MS);
    this.#timer.unref();
  }

  #look(): void {
    this.#timer = null;
    this.#arm();
    const now = new Map([...this.#seen.keys()].map((file) => [file, fileState(file)]));
    const isSame = [...now].every(([file, state]) => this.#seen.get(file) === state);
    this.#seen = now;
    if (!isSame) this.#onChange();
  }
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function fileState(file: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}`;
  } catch {
    return 'absent';
  }
}
