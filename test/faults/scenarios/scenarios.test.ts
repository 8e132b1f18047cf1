/** Every way in which a provider can fail, seen from all sides: client, providers, record and ledger. */
import t from 'tap';
import { Stage } from './engine.js';
import { fullMatrix, shortMatrix } from './matrix.js';
import { playOutage } from './outage.js';
import { caseName } from './scenario.js';

const isFull = process.env['TOLLGATE_FAULTS'] === 'full';
const only = process.env['TOLLGATE_FAULTS_ONLY'];
t.setTimeout(0);

for (const [name, all] of isFull ? fullMatrix() : shortMatrix()) {
  t.test(name, async (t) => {
    const cases = only === undefined ? all : all.filter((each) => new RegExp(only).test(caseName(each)));
    const stage = await Stage.open(t, cases);
    for (const each of cases) await t.test(caseName(each), (t) => stage.play(t, each));
    await t.test('ledger', (t) => stage.checkLedger(t));
  });
}

const OUTAGE_MS = isFull ? 60_000 : 5_000;
t.test('outage-and-recovery', (t) => playOutage(t, OUTAGE_MS));
