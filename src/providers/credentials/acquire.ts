import type { AwsKeys } from './aws/sign-v4.js';

/** What a source of credentials gives: a token that is sent, or keys that sign. */
export type Material =
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'aws'; readonly keys: AwsKeys };

export interface Acquired {
  readonly material: Material;
  /** Epoch milliseconds; null = it does not say, so it is looked at again now and then. */
  readonly expiresAt: number | null;
}

/** The outside world as sources see it. Tests pass their own. */
export interface AcquireContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: (url: string, request: RequestInit) => Promise<Response>;
  /** UTF-8 text; rejects as `node:fs` does. */
  readonly readFile: (path: string) => Promise<string>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
}

/** Gets a token or keys once. Rejects with an `AcquireError` that says to an operator what is wrong. */
export type Acquire = (context: AcquireContext) => Promise<Acquired>;

/** Why nothing could be had. The message is for operators: it names settings, files and addresses, never a secret. */
export class AcquireError extends Error {
  override readonly name = 'AcquireError';
}

/** A variable that is set and not empty, else null. */
export function variable(context: Pick<AcquireContext, 'env'>, name: string): string | null {
  const value = context.env[name];
  return value === undefined || value === '' ? null : value;
}

/** The content of a file without white space at its ends: a token that somebody else renews. */
export async function tokenFile(context: AcquireContext, path: string): Promise<string> {
  const text = (await fileText(context, path)).trim();
  if (text === '') throw new AcquireError(`${path} is empty`);
  return text;
}

export async function fileText(context: AcquireContext, path: string): Promise<string> {
  try {
    return await context.readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new AcquireError(`cannot read ${path} (${code})`);
  }
}
