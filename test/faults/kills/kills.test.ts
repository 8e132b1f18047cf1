/** `kill -9` of the service under load: what providers counted, what the ledger has, and what is shown of it. */
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { amountsOf } from '../../../src/accounting/amounts.js';
import type { FinalEntry, LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import type { Gateway } from '../../e2e/harness.js';
import { eventually } from '../../eventually.js';
import { type Figures, figuresOf, finalEntries, type Joined, joinAll, sumOf } from './figures.js';
import { PRICE, playKills } from './play.js';
import { ratioOf, renderFigures } from './table.js';

const ROUNDS = Number(process.env['TOLLGATE_KILLS'] ?? 0);
const isLong = ROUNDS > 0;
const OPTIONS = isLong
  ? {
      rounds: ROUNDS,
      seed: Number(process.env['TOLLGATE_KILLS_SEED'] ?? 1),
      clients: 32,
      attemptsPerRound: 120,
      warmUp: 400,
    }
  : { rounds: 4, seed: 20_260_402, clients: 24, attemptsPerRound: 40, warmUp: 150 };
/**
 * What answers that were cut may be booked at, beside the truth. A hundred of them are too few for the bound that holds over
 * thousands: there, one that the kill hit in a rare moment is a percent.
 */
const [LEAST, MOST] = isLong ? [1, 1.02] : [0.95, 1.05];
if (isLong) t.setTimeout(0);

t.test(`the service is killed ${OPTIONS.rounds} times under load`, async (t) => {
  const onRound = (round: number, sent: number): void => {
    if (isLong) process.stderr.write(`kill ${round} of ${ROUNDS}: ${sent} requests\n`);
  };
  const { gateway, provider, load } = await playKills(t, { ...OPTIONS, onRound });
  const entries = gateway.ledger();
  const joined = joinAll(load.sent, provider.served, entries);
  const figures = figuresOf(load.sent, joined, { entries, price: PRICE });
  tell(figures);
  checkEntries(t, gateway, { joined, figures });
  checkCounts(t, { joined, figures });
  await checkWhatIsShown(t, gateway, entries);
});

function tell(figures: Figures): void {
  const text = renderFigures(figures);
  if (!isLong) {
    t.comment(text);
    return;
  }
  process.stderr.write(`\n${text}\n`);
  const path = process.env['TOLLGATE_KILLS_JSON'];
  if (path) writeFileSync(path, `${JSON.stringify({ ...OPTIONS, ...figures }, null, 2)}\n`);
}

interface Outcome {
  readonly joined: readonly Joined[];
  readonly figures: Figures;
}

function checkEntries(t: Test, gateway: Gateway, { joined, figures }: Outcome): void {
  const { statuses, missing, double, unfounded, truncated, endings } = figures;
  t.same([missing, double], [0, 0], 'exactly one final entry for each request that reached a provider');
  t.same(gateway.unsettled(), [], 'every hold has its end');
  t.equal(unfounded, 0, 'nothing is paid that no provider saw');
  t.equal(truncated, 0, 'no answer is cut by a kill');
  const known = [0, 200, 503];
  t.same(
    Object.keys(statuses).filter((status) => !known.includes(Number(status))),
    [],
    'answered, refused or left',
  );
  t.ok(figures.failovers > 0 && figures.left > 0 && endings['recovered, whole'].requests > 0, 'all of it happened');
  t.same(unpaid(joined), [], 'an answer is never free');
}

/** Requests that a provider answered and that cost nothing. */
function unpaid(joined: readonly Joined[]): readonly unknown[] {
  return joined
    .filter(({ served, finals }) => served.some(({ output }) => output > 0) && finals.every(isFree))
    .map(({ sent, served, finals }) => ({ plan: sent.plan.marker, status: sent.status, served, finals }));
}

function isFree(entry: FinalEntry): boolean {
  return entry.cost_nano_usd === 0 || entry.cost_nano_usd === null;
}

function checkCounts(t: Test, { joined, figures }: Outcome): void {
  const wrong = joined.filter(({ ending, served, finals }) => {
    const answer = served.find(({ status }) => status === 200);
    const [entry] = finals;
    return ending === 'whole' && (entry?.usage.input !== answer?.input || entry?.usage.output !== answer?.output);
  });
  t.same(wrong, [], 'a whole answer is booked as the provider counted it');
  const { provider_nano_usd, ledger_nano_usd } = figures.endings.whole;
  t.equal(ledger_nano_usd, provider_nano_usd, 'to the nano-dollar');
  const ratio = ratioOf(figures.cut) ?? 0;
  t.ok(ratio >= LEAST, `what was cut is not booked below ${LEAST} of the truth: ${ratio}`);
  t.ok(ratio <= MOST, `what was cut is at most ${MOST} of the truth: ${ratio}`);
}

/** The admin API says what the ledger says. */
async function checkWhatIsShown(t: Test, gateway: Gateway, entries: readonly LedgerEntry[]): Promise<void> {
  const finals = new Map(finalEntries(entries).map(({ type, ...record }) => [record.id, record]));
  await eventually('all records', async () => (await gateway.requests()).length >= finals.size);
  const records = new Map((await gateway.requests()).map((record) => [record.id, record]));
  const different = [...finals.values()].filter(
    (final) => JSON.stringify(sorted(records.get(final.id))) !== JSON.stringify(sorted(final)),
  );
  t.same([records.size, different], [finals.size, []], 'records are the entries');

  const usage = await gateway.usage('user');
  const all = finalEntries(entries);
  t.equal(
    sumOf(usage, (row) => Number(row['requests'])),
    all.length,
    'usage counts every request',
  );
  const money = sumOf(all, (entry) => entry.cost_nano_usd ?? 0);
  t.equal(
    sumOf(usage, (row) => Number(row['cost_nano_usd'])),
    money,
    'and every nano-dollar',
  );

  const admitted = all.filter((entry) => entry.type !== 'refusal');
  const used = {
    cost: money,
    tokens: sumOf(admitted, (entry) => amountsOf(entry).tokens),
    requests: admitted.length,
    concurrent: 0,
  };
  const limits = await gateway.limits();
  const seen = Object.fromEntries(limits.map((row) => [row.of, row.used]));
  t.same(seen, used, 'the counters of limits are the ledger');
  t.same(
    limits.map((row) => row.held),
    limits.map(() => 0),
    'nothing is held',
  );
}

/** Members in order, so that two of the same content are the same text. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, each]) => [name, sorted(each)]);
}
