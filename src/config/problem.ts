/** Keys and list positions from the root: `['keys', 1, 'secret']`. */
export type Path = readonly (string | number)[];

/** One thing wrong with a configuration, where a person can find it. */
export interface Problem {
  /** As the user named it; `(built-in)` where there is no file. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** `models.smart.targets[0]`; empty for the file as a whole. */
  readonly path: string;
  /** One sentence, without the value of any secret. */
  readonly message: string;
}

/** A problem that has not been given its line yet. `at` says which side of `key: value` to point to. */
export interface Mistake {
  readonly path: Path;
  readonly at: 'key' | 'value';
  readonly message: string;
  /** Where in the text it is when the path does not tell: syntax, and keys that stand there twice. */
  readonly offset?: number;
}

/** `file:line:column: path: message`, the form that editors and terminals turn into a link. */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === '' ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`;
}

/** `keys[1].secret`; names that are not plain words are quoted: `models["a b"]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[\w-]+$/.test(part)) text += `[${shown(part)}]`;
    else if (looksSecret(part)) text += text === '' ? '…' : '.…';
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** A name from the file, quoted for a message, unless it could be a credential that slipped into the wrong place. */
export function shown(name: string): string {
  return looksSecret(name) || name.length > 80 ? '(hidden)' : JSON.stringify(name);
}

const SECRET_PREFIX = /^(sk|pk|rk|gsk|xai|ghp|github_pat|hf|nvapi|pplx|csk|tgp|fw)[-_]|^AIza|^AKIA|^sha256:|^eyJ/;

/** Long runs of mixed letters and digits are treated as credentials: a false alarm costs only a less helpful message. */
export function looksSecret(text: string): boolean {
  if (SECRET_PREFIX.test(text)) return true;
  return /[A-Za-z0-9+=_-]{20,}/.test(text) && /\d/.test(text) && /[A-Za-z]/.test(text);
}

/** Reading order: by line, then column. */
export function inReadingOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((left, right) => left.line - right.line || left.column - right.column);
}
