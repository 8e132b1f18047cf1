import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { claimDirectory, type Owner } from './owner.js';

/**
 * The ledger directory holds one directory per process that wrote: `<start, UTC>-<n>/`, named so that names sort by time, and in
 * it `00000001.ledger`, `00000002.ledger`…, `owner.json`, and empty marker files.
 */
const BOOT_PATTERN = /^\d{8}T\d{9}Z-\d+$/;
const SEGMENT_PATTERN = /^\d{8}\.ledger$/;
/** Marks a boot whose holds all have their final entry: it never needs to be searched for open holds again. */
const SETTLED_FILE = 'settled';

export interface Boot {
  readonly name: string;
  readonly directory: string;
}

/** Makes the directory of a new boot for `owner`. Throws when the disk refuses. */
export function createBoot(ledgerDirectory: string, owner: Owner, now: number): Boot {
  mkdirSync(ledgerDirectory, { recursive: true, mode: 0o700 });
  const start = new Date(now).toISOString().replace(/[-:.]/g, '');
  for (let number = 0; ; number += 1) {
    const name = `${start}-${number}`;
    if (claimDirectory(ledgerDirectory, name, owner)) return { name, directory: join(ledgerDirectory, name) };
  }
}

/** All boots, oldest first; none when the directory is not there yet. */
export async function listBoots(ledgerDirectory: string): Promise<Boot[]> {
  const names = await readdir(ledgerDirectory).catch(absentAsEmpty);
  const boots = names.filter((name) => BOOT_PATTERN.test(name));
  return boots.sort(byStart).map((name) => ({ name, directory: join(ledgerDirectory, name) }));
}

/** Paths of a boot's segments, oldest first. */
export async function listSegments(boot: Boot): Promise<string[]> {
  const names = await readdir(boot.directory).catch(absentAsEmpty);
  return names
    .filter((name) => SEGMENT_PATTERN.test(name))
    .sort()
    .map((name) => join(boot.directory, name));
}

export function segmentPath(boot: Boot, number: number): string {
  return join(boot.directory, `${String(number).padStart(8, '0')}.ledger`);
}

/** The inverse of `segmentPath`. */
export function segmentNumber(path: string): number {
  return Number.parseInt(basename(path), 10);
}

export function markSettled(boot: Boot): void {
  writeFileSync(join(boot.directory, SETTLED_FILE), '');
}

/** Its holds have to be searched again. */
export function unmarkSettled(boot: Boot): void {
  rmSync(join(boot.directory, SETTLED_FILE), { force: true });
}

export function isSettled(boot: Boot): boolean {
  return statSync(join(boot.directory, SETTLED_FILE), { throwIfNoEntry: false }) !== undefined;
}

/** Sub-directories that recovering processes made in a boot, see recovery/claim.ts. */
export function listClaims(boot: Boot): number[] {
  const names = readdirSync(boot.directory).filter((name) => /^recovery-\d+$/.test(name));
  return names.map((name) => Number(name.slice('recovery-'.length))).sort((left, right) => left - right);
}

function byStart(left: string, right: string): number {
  const [leftStart = '', leftNumber = '0'] = left.split('-');
  const [rightStart = '', rightNumber = '0'] = right.split('-');
  if (leftStart !== rightStart) return leftStart < rightStart ? -1 : 1;
  return Number(leftNumber) - Number(rightNumber);
}

function absentAsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
