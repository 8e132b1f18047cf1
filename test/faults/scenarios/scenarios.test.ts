/** Every way in which a provider can fail, seen from all sides: client, providers, record and ledger. */
import t, { type Test } from 'tap';
import { Stage } from './engine.js';
import { fullMatrix, shortMatrix } from './matrix.js';
import { playOutage } from './outage.js';
import { documentedTable, documentTable, ROWS, renderTable } from './report.js';
import { caseName } from './scenario.js';
import { SCENARIOS } from './table.js';

const isFull = process.env['TOLLGATE_FAULTS'] === 'full';
const OUTAGE = 'outage-and-recovery';
const OUTAGE_MS = isFull ? 60_000 : 5_000;
/** Scenarios that are not what they should be; the ledger's belong to all. */
const failed = new Set<string>();
t.setTimeout(0);

/** Plays one case; a throw leaves its name, and so does a failure in another case of the scenario. */
async function noted(name: string, t: Test, play: () => Promise<void>): Promise<void> {
  const hadFailed = failed.has(name);
  failed.add(name);
  await play();
  if (t.passing() && !hadFailed) failed.delete(name);
}

for (const [name, cases] of isFull ? fullMatrix() : shortMatrix()) {
  t.test(name, async (t) => {
    const stage = await Stage.open(t, cases);
    for (const each of cases) {
      await t.test(caseName(each), (t) => noted(each.scenario.name, t, () => stage.play(t, each)));
    }
    await t.test('ledger', (t) => noted('ledger', t, () => stage.checkLedger(t)));
  });
}
t.test(OUTAGE, (t) => noted(OUTAGE, t, () => playOutage(t, OUTAGE_MS)));

t.test('the table in docs/failover.md', async (t) => {
  const known = new Set([...SCENARIOS.map(({ name }) => name), OUTAGE, '*']);
  t.same(
    ROWS.flatMap(({ scenarios }) => scenarios).filter((name) => !known.has(name)),
    [],
    'only scenarios that there are',
  );
  const table = renderTable(failed);
  if (isFull) documentTable(table);
  t.equal(documentedTable(), table, 'says what was seen; `npm run faults` writes it');
});
