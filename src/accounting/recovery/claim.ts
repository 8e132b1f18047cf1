import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Boot, listClaims } from '../ledger/boots.js';
import { claimDirectory, currentOwner, hasLivingOwner } from '../ledger/owner.js';

const CLAIMANT_FILE = 'claimant';

/**
 * Claims a dead boot for recovery by the process that writes boot `claimant`; false while another living process has it. Claims
 * are numbered: number N + 1 may only be made, by one atomic step, once the maker of number N is dead. Nothing is ever removed,
 * so two processes cannot both take over.
 */
export function claimRecovery(boot: Boot, claimant: string): boolean {
  const last = listClaims(boot).at(-1) ?? 0;
  if (last > 0) {
    const directory = join(boot.directory, `recovery-${last}`);
    const holder = readClaimant(directory);
    if (holder === claimant) return true;
    // Between the claim and its name the claim's own owner tells; afterwards the boot, whose owner gives signs of life.
    const living = holder === null ? directory : join(dirname(boot.directory), holder);
    if (hasLivingOwner(living)) return false;
  }
  const name = `recovery-${last + 1}`;
  if (!claimDirectory(boot.directory, name, currentOwner())) return false;
  writeFileSync(join(boot.directory, name, CLAIMANT_FILE), claimant);
  return true;
}

function readClaimant(directory: string): string | null {
  try {
    return readFileSync(join(directory, CLAIMANT_FILE), 'utf8') || null;
  } catch {
    return null;
  }
}
