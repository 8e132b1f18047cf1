import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Snapshot } from '../config/snapshot.js';
import { UserError } from './user-error.js';

export interface AdminQuestion {
  /** `/api/v1/…`. */
  readonly path: string;
  /** Query parameters; those that are null are left out. */
  readonly query: Readonly<Record<string, string | null>>;
}

/**
 * Asks the admin API of the gateway that runs with this configuration. Null when nothing answers there (the file with its address
 * outlives the gateway) or what answers is not this API. Throws UserError when it refuses.
 */
export async function askAdmin(snapshot: Snapshot, question: AdminQuestion): Promise<Response | null> {
  const admin = adminAddress(snapshot);
  if (admin === null) return null;
  const url = new URL(`http://${admin}${question.path}`);
  for (const [name, value] of Object.entries(question.query)) if (value !== null) url.searchParams.set(name, value);
  const token = snapshot.admin.token?.reveal();
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) }).catch(() => null);
  if (response === null || response.status === 404) return null;
  if (response.status === 401) throw new UserError(`the gateway at ${admin} refuses this admin.token`);
  if (!response.ok)
    throw new UserError(`the gateway at ${admin} answered ${response.status}${await reasonOf(response)}`);
  return response;
}

async function reasonOf(response: Response): Promise<string> {
  const body = (await response.json().catch(() => null)) as { readonly error?: { readonly message?: unknown } } | null;
  const message = body?.error?.message;
  return typeof message === 'string' ? `: ${message}` : '';
}

/** `host:port` that the running gateway wrote down; null when none has run here. */
export function adminAddress(snapshot: Snapshot): string | null {
  try {
    const addresses: { admin?: unknown } = JSON.parse(
      readFileSync(join(snapshot.runtimeDirectory, 'addresses.json'), 'utf8'),
    );
    return typeof addresses.admin === 'string' ? addresses.admin : null;
  } catch {
    return null;
  }
}
