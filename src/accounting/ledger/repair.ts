import { copyFile, open, rename } from 'node:fs/promises';
import { listBoots, listSegments } from './boots.js';
import { encodeLine } from './line.js';
import { hasLivingOwner } from './owner.js';
import { readSegment } from './read-segment.js';

/**
 * Writes each damaged segment of ended processes anew without the unreadable bytes; the old file stays beside it as
 * `<segment>.damaged`. Returns the segments that were rewritten. Safe to be interrupted: a segment is replaced by one rename.
 */
export async function repairLedger(directory: string): Promise<string[]> {
  const repaired: string[] = [];
  for (const boot of await listBoots(directory)) {
    if (hasLivingOwner(boot.directory)) continue;
    const files = await listSegments(boot);
    for (const file of files) {
      if (await repairSegment(file, file === files.at(-1))) repaired.push(file);
    }
  }
  return repaired;
}

async function repairSegment(file: string, last: boolean): Promise<boolean> {
  const lines: string[] = [];
  const reading = await readSegment(file, { last, visit: (entry) => lines.push(encodeLine(entry)) });
  if (reading.damages.length === 0) return false;
  const replacement = `${file}.repaired`;
  const handle = await open(replacement, 'w', 0o600);
  try {
    await handle.writeFile(lines.join(''));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await copyFile(file, `${file}.damaged`);
  await rename(replacement, file);
  return true;
}
