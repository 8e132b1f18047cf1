import { isAbsolute, resolve } from 'node:path';

/** What the outside world gives to a configuration. Tests pass their own; `context.ts` makes the real one. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** UTF-8 text of a file; throws as `node:fs` does. */
  readonly readFile: (path: string) => string;
}

export type Resolved = { readonly value: string } | { readonly message: string };

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;
const MOST_FILE_CHARACTERS = 1_048_576;

/**
 * Replaces `${VAR}`, `${VAR:-default}` and `file:/path` in one configuration's values. `$${` stands for a literal `${`.
 * Remembers what it read: the files, to be watched; and the values, to be kept out of messages.
 */
export class References {
  readonly files = new Set<string>();
  readonly values = new Set<string>();
  readonly #surroundings: Surroundings;
  readonly #directory: string;

  /** `directory`: what relative `file:` paths are relative to. */
  constructor(surroundings: Surroundings, directory: string) {
    this.#surroundings = surroundings;
    this.#directory = directory;
  }

  /** True when a value as written in the file has to be resolved. */
  static isIn(text: string): boolean {
    return text.includes('${') || text.startsWith('file:');
  }

  /** `keepFiles`: the setting wants a path, so `file:` stays as it is and only variables are replaced. */
  resolve(text: string, keepFiles: boolean): Resolved {
    const expanded = this.#expand(text);
    // Only a `file:` that stands in the configuration itself is followed, never one that a variable brings in.
    if ('message' in expanded || keepFiles || !text.startsWith('file:')) return expanded;
    return this.#read(expanded.value.slice('file:'.length));
  }

  #expand(text: string): Resolved {
    const messages: string[] = [];
    const value = text.replace(REFERENCE, (whole: string, inner: string | undefined, close: string | undefined) => {
      if (inner === undefined) return '${';
      const found = close === '}' ? this.#variable(inner) : { message: `a "\${" is not closed by "}"` };
      if ('value' in found) return found.value;
      messages.push(found.message);
      return whole;
    });
    return messages.length === 0 ? { value } : { message: messages.join('; ') };
  }

  #variable(inner: string): Resolved {
    const match = VARIABLE.exec(inner);
    const name = match?.[1];
    if (name === undefined) return { message: `a reference is written \${NAME} or \${NAME:-default}` };
    const found = this.#surroundings.env[name];
    if (found !== undefined) this.values.add(found);
    const fallback = match?.[2];
    if (fallback !== undefined) return { value: found === undefined || found === '' ? fallback : found };
    if (found === undefined) return { message: `environment variable ${name} is not set` };
    return { value: found };
  }

  #read(path: string): Resolved {
    if (path === '') return { message: 'a path is missing after "file:"' };
    const absolute = isAbsolute(path) ? path : resolve(this.#directory, path);
    this.files.add(absolute);
    try {
      const text = this.#surroundings.readFile(absolute);
      if (text.length > MOST_FILE_CHARACTERS) return { message: `${absolute} is larger than 1 MiB` };
      const value = text.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '');
      this.values.add(value);
      return { value };
    } catch (error) {
      return { message: `cannot read ${absolute} (${errorCode(error)})` };
    }
  }
}

/** `ENOENT` and the like; system messages are not repeated, they may quote what they read. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unreadable';
}
