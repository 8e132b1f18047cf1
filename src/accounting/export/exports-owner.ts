import { mkdirSync, readdirSync, rmSync, utimes } from 'node:fs';
import { join } from 'node:path';
import {
  claimDirectory,
  currentOwner,
  HEARTBEAT_MS,
  hasLivingOwner,
  heartbeatPath,
  releaseDirectory,
} from '../ledger/owner.js';

const PATTERN = /^owner-(\d+)$/;

/** The right to export from one data directory: one process has it at a time. */
export interface ExportsOwner {
  release(): void;
}

/**
 * Takes the right; null while another living process has it. Claims are numbered: number N + 1 may only be made, by one atomic
 * step, once the maker of N is gone. The highest one is never removed, so two processes cannot both take over.
 */
export function ownExports(directory: string): ExportsOwner | null {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const claims = listClaims(directory);
  const last = claims.at(-1) ?? 0;
  if (last > 0 && hasLivingOwner(join(directory, `owner-${last}`))) return null;
  const name = `owner-${last + 1}`;
  if (!claimDirectory(directory, name, currentOwner())) return null;
  for (const old of claims) rmSync(join(directory, `owner-${old}`), { recursive: true, force: true });
  const owned = join(directory, name);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(heartbeatPath(owned), now, now, () => undefined);
  }, HEARTBEAT_MS).unref();
  return {
    release() {
      clearInterval(heartbeat);
      releaseDirectory(owned);
    },
  };
}

function listClaims(directory: string): number[] {
  const numbers = readdirSync(directory).flatMap((name) => PATTERN.exec(name)?.[1] ?? []);
  return numbers.map(Number).sort((left, right) => left - right);
}
