/** Every way in which a provider can fail, seen from all sides: client, providers, record and ledger. */
import t, { type Test } from 'tap';
import { Stage } from './engine.js';
import { fullMatrix, shortMatrix } from './matrix.js';
import { playOutage } from './outage.js';
import { asIfGood, documentedTable, documentTable, ROWS, renderTable, type Tally } from './report.js';
import { caseName } from './scenario.js';
import { SCENARIOS } from './table.js';

const isFull = process.env['TOLLGATE_FAULTS'] === 'full';
const OUTAGE = 'outage-and-recovery';
const OUTAGE_MS = isFull ? 60_000 : 5_000;
const tallies = new Map<string, Tally>();
t.setTimeout(0);

/** Plays one case and counts it; one that throws has failed. */
async function noted(name: string, t: Test, play: () => Promise<void>): Promise<void> {
  const { played, failed } = tallies.get(name) ?? { played: 0, failed: 0 };
  tallies.set(name, { played: played + 1, failed: failed + 1 });
  await play();
  if (t.passing()) tallies.set(name, { played: played + 1, failed });
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
  const table = renderTable(tallies);
  if (isFull) documentTable(table);
  const documented = documentedTable();
  t.equal(isFull ? documented : asIfGood(documented), table, 'says what was seen; `npm run faults` writes it');
});
