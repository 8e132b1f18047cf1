import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import { listDeadBoots } from '../../../src/accounting/ledger/open-holds.js';
import { claimDirectory } from '../../../src/accounting/ledger/owner.js';
import { shareOf } from '../../../src/accounting/ledger/share.js';
import { LedgerCounters } from '../../../src/accounting/ledger-counters/ledger-counters.js';
import { DEAD, final, temporaryDirectory } from '../samples.js';

const NOW = Date.UTC(2026, 10, 20, 12);
const PLACE = 'budget|requests|total|all@0';

function boot(directory: string, number: number, worker?: number): void {
  const name = `20261120T12000000${number}Z-0`;
  mkdirSync(directory, { recursive: true });
  claimDirectory(directory, name, worker === undefined ? DEAD : { ...DEAD, worker });
  const entry: LedgerEntry = final(`r${number}`, { limits: [PLACE] });
  writeFileSync(join(directory, name, '00000001.ledger'), encodeLine(entry));
}

t.test('each boot of a ledger belongs to exactly one worker', async (t) => {
  const directory = temporaryDirectory(t);
  boot(directory, 1);
  for (const worker of [0, 1, 2, 3]) boot(directory, worker + 2, worker);
  const namesOf = async (index: number, count: number) =>
    (await listDeadBoots(directory, shareOf({ index, count }))).map(({ name }) => Number(name.slice(17, 18)));
  t.same(await namesOf(0, 1), [1, 2, 3, 4, 5], 'a lone process has all');
  t.same(await Promise.all([0, 1, 2, 3].map((index) => namesOf(index, 4))), [[1, 2], [3], [4], [5]]);
  t.same(await Promise.all([0, 1].map((index) => namesOf(index, 2))), [[1, 2, 4, 5], [3]], 'places that are gone');
});

t.test('counters of all workers together are those of the ledger, however many there were before', async (t) => {
  const directory = temporaryDirectory(t);
  const ledger = join(directory, 'ledger');
  let boots = 0;
  for (const count of [1, 3, 2, 1, 2]) {
    for (let worker = 0; worker < count; worker += 1) {
      boots += 1;
      boot(ledger, boots, worker);
    }
    let sum = 0n;
    for (let index = 0; index < count; index += 1) {
      const counters = new LedgerCounters({
        directory: ledger,
        checkpointPath: join(directory, `counters-${index}.json`),
        now: () => NOW,
        isMine: shareOf({ index, count }),
      });
      await counters.open();
      sum += counters.seed('x').used.get(PLACE) ?? 0n;
      await counters.checkpoint();
    }
    t.equal(sum, BigInt(boots), `${count} workers`);
  }
});
