import type { Boot } from './boots.js';
import { workerOf } from './owner.js';

/** Which boots of a ledger are this process's to recover and to count. */
export type IsMine = (boot: Boot) => boolean;

/**
 * The share of one of several service processes of a gateway: the boots that earlier processes in its place wrote. Each boot
 * belongs to exactly one; those of places that are gone, because there were more workers once, to the first. A lone process has all.
 */
export function shareOf({ index, count }: { readonly index: number; readonly count: number }): IsMine {
  const known = new Map<string, boolean>();
  return (boot) => {
    if (count === 1) return true;
    const before = known.get(boot.name);
    if (before !== undefined) return before;
    const worker = workerOf(boot.directory);
    const mine = worker === index || (index === 0 && worker >= count);
    known.set(boot.name, mine);
    return mine;
  };
}
