import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import { claimDirectory, currentOwner, releaseDirectory } from '../../../src/accounting/ledger/owner.js';
import {
  collectSeed,
  LedgerCounters,
  rebuildCheckpoint,
} from '../../../src/accounting/ledger-counters/ledger-counters.js';
import { placeLife } from '../../../src/accounting/ledger-counters/place-life.js';
import type { Seed } from '../../../src/store/counter-store.js';
import { DEAD, final, held, hold, temporaryDirectory, testLedger } from '../samples.js';

const NOW = Date.UTC(2026, 10, 20, 12, 0, 30);
const MINUTE = Math.floor(NOW / 60_000) * 60_000;
const COST = 'budget|cost|total|search@0';
const TOKENS = `rate|tokens|60000ms|web@${MINUTE}`;
const OPEN = 'rate|concurrent|total|web@0';

function bootWith(directory: string, name: string, entries: readonly LedgerEntry[], owner = DEAD): string {
  mkdirSync(directory, { recursive: true });
  claimDirectory(directory, name, owner);
  const file = join(directory, name, '00000001.ledger');
  writeFileSync(file, entries.map(encodeLine).join(''));
  return file;
}

/** As plain data, in a stable order. */
function plain(seed: Seed): object {
  return {
    used: Object.fromEntries([...seed.used].map(([place, sum]) => [place, Number(sum)]).sort()),
    holds: Object.fromEntries([...seed.holds].map(([id, { places, ttlMs }]) => [id, [ttlMs, [...places]]]).sort()),
  };
}

const collect = (directory: string, now = NOW) => collectSeed({ directory, now: () => now, source: 'test' });

t.test('how long a place matters', async (t) => {
  const cases: readonly (readonly [string, string | null, number])[] = [
    ['l|requests|60000ms|web@60000', 'requests', 120_000],
    ['l|tokens|250ms|@0', 'tokens', 250],
    ['l|input_tokens|3600000ms sliding|web|smart@3600000', 'input_tokens', 3 * 3_600_000],
    ['l|output_tokens|day Europe/Berlin|@0', 'output_tokens', 25 * 3_600_000],
    ['l|cost|month UTC|@0', 'cost', (31 * 24 + 1) * 3_600_000],
    ['l|cost|total|web@0', 'cost', Number.POSITIVE_INFINITY],
    ['l|concurrent|total|@0', 'concurrent', Number.POSITIVE_INFINITY],
    ['l|cost|fortnight UTC|@0', null, Number.POSITIVE_INFINITY],
    ['l|cost|constructor|@0', null, Number.POSITIVE_INFINITY],
    ['l|apples|60000ms|@0', null, Number.POSITIVE_INFINITY],
    ['x|cost|60000ms|web', null, Number.POSITIVE_INFINITY],
    ['x|cost|60000ms|web@5', 'cost', 60_005],
    ['', null, Number.POSITIVE_INFINITY],
  ];
  for (const round of ['first', 'again'])
    for (const [place, of, endsAt] of cases) t.same(placeLife(place), { of, endsAt }, `${place} ${round}`);
});

t.test('what is settled, what is open, what is over', async (t) => {
  const directory = temporaryDirectory(t);
  const limits = { [COST]: 900_000, [TOKENS]: 500, [OPEN]: 1 };
  const places = Object.keys(limits);
  const usage = { input: 10, cache_read: 5, output: 7, reasoning: 3 };
  bootWith(directory, '20261101T080000000Z-0', [
    hold('settled', { limits }),
    final('settled', { limits: places, usage, cost_nano_usd: 40 }),
    hold('void', { limits }),
    final('void', { type: 'void', limits: places, usage: {}, cost_nano_usd: 0 }),
    hold('open', { limits, expires: NOW + 500_000 }),
    hold('late', { limits, expires: NOW - 1 }),
    hold('over', { limits: { [`rate|tokens|60000ms|@${MINUTE - 120_000}`]: 5, [OPEN]: 1 }, expires: NOW - 100_000 }),
    hold('free'),
    final('refused', { type: 'refusal' }),
  ]);
  bootWith(directory, '20261102T080000000Z-0', [
    hold('elsewhere', { limits: { [COST]: 1, [`count|requests|3600000ms|@${MINUTE}`]: 1 } }),
    final('settled', { limits: places, usage, cost_nano_usd: 999 }),
    final('unpriced', { limits: [COST, `count|requests|3600000ms|@${MINUTE}`], cost_nano_usd: null }),
    final('old', { limits: [`rate|tokens|60000ms|web@${MINUTE - 60_000}`] }),
  ]);
  bootWith(directory, '20261103T080000000Z-0', [final('elsewhere', { cost_nano_usd: 2 })]);
  const held = Object.entries(limits);
  t.same(plain(await collect(directory)), {
    used: { [COST]: 42, [TOKENS]: 25, [`count|requests|3600000ms|@${MINUTE}`]: 2 },
    holds: { late: [60_000, held], open: [500_000, held] },
  });
  t.same(plain(await collect(directory, NOW + 60_000)).toString(), '[object Object]');
  t.notOk((await collect(directory, NOW + 60_000)).used.has(TOKENS), 'the window has ended');
});

t.test('checkpoints: only what came after is read; a wrong one is not believed', async (t) => {
  const directory = temporaryDirectory(t);
  const checkpointPath = join(directory, 'counters.json');
  const ledger = join(directory, 'ledger');
  const open = async () => {
    const counters = new LedgerCounters({ directory: ledger, checkpointPath, now: () => NOW });
    await counters.open();
    return counters;
  };
  const first = bootWith(ledger, '20261101T080000000Z-0', [hold('a', { limits: { [COST]: 9 } })], currentOwner());
  const counters = await open();
  t.notOk(counters.fromCheckpoint);
  await counters.checkpoint();
  appendFileSync(first, encodeLine(final('a', { limits: [COST], cost_nano_usd: 5 })));
  bootWith(ledger, '20261102T080000000Z-0', [final('b', { limits: [COST], cost_nano_usd: 6 })]);
  const second = await open();
  t.ok(second.fromCheckpoint);
  t.same(plain(second.seed('x')), { used: { [COST]: 11 }, holds: {} });
  await second.checkpoint();

  const text = readFileSync(checkpointPath, 'utf8');
  for (const harmed of [text.slice(0, -5), text.replace('"5"', '"7"'), '', '{}\n', 'null\n', `${text}${text}`]) {
    writeFileSync(checkpointPath, harmed);
    const read = await open();
    t.notOk(read.fromCheckpoint, JSON.stringify(harmed.slice(-20)));
    t.same(plain(read.seed('x')), { used: { [COST]: 11 }, holds: {} });
  }
  writeFileSync(checkpointPath, text);
  t.ok((await open()).fromCheckpoint);
  // A power cut took the end of a segment that the checkpoint had counted.
  const { length } = readFileSync(first);
  truncateSync(first, length - 3);
  t.notOk((await open()).fromCheckpoint);
  truncateSync(first, length);
  t.notOk((await open()).fromCheckpoint, 'zeros instead of what was written');
});

t.test('what was not delivered is told again by the next opening', async (t) => {
  const directory = temporaryDirectory(t);
  const ledger = join(directory, 'ledger');
  let isDelivered = true;
  const open = async () => {
    const told: string[] = [];
    const counters = new LedgerCounters({
      directory: ledger,
      checkpointPath: join(directory, 'counters.json'),
      now: () => NOW,
      onReplayed: ({ id }) => told.push(id),
      isDelivered: () => isDelivered,
    });
    await counters.open();
    return { counters, told };
  };
  const entries = (...ids: readonly string[]) => ids.map((id) => final(id, { limits: [COST], cost_nano_usd: 1 }));
  bootWith(ledger, '20261101T080000000Z-0', [hold('a', { limits: { [COST]: 9 } }), ...entries('a')]);
  const first = await open();
  t.same(first.told, ['a'], 'there is no checkpoint yet');
  await first.counters.checkpoint();
  isDelivered = false;
  bootWith(ledger, '20261102T080000000Z-0', entries('b', 'c'));
  await first.counters.stop();
  const second = await open();
  t.same(second.told, ['b', 'c']);
  t.equal(second.counters.seed('x').used.get(COST), 3n, 'and counted once');
  isDelivered = true;
  await second.counters.stop();
  t.same((await open()).told, []);
});

t.test('what retention has removed is remembered, whatever becomes of the rest', async (t) => {
  const directory = temporaryDirectory(t);
  const checkpointPath = join(directory, 'counters.json');
  const ledger = join(directory, 'ledger');
  const options = { directory: ledger, checkpointPath, now: () => NOW };
  const spent = (cost: number) => final(`r${cost}`, { limits: [COST], cost_nano_usd: cost });
  const names = [1, 2, 3].map((day) => `2026110${day}T080000000Z-0`);
  const files = names.map((name, at) => bootWith(ledger, name, [spent(10 ** at)]));
  const used = async () => {
    const counters = new LedgerCounters(options);
    await counters.open();
    await counters.checkpoint();
    await counters.stop();
    return Number(counters.seed('x').used.get(COST));
  };
  t.equal(await used(), 111);
  rmSync(join(ledger, names[0] ?? ''), { recursive: true });
  t.equal(await used(), 111, 'removed');
  // The second one is not what was read; the third one grows.
  writeFileSync(files[1] ?? '', encodeLine(spent(20)));
  bootWith(ledger, '20261104T080000000Z-0', [spent(1_000)]);
  t.equal(await used(), 1_121, 'read again');
  rmSync(join(ledger, names[1] ?? ''), { recursive: true });
  t.equal((await rebuildCheckpoint(options)).used.get(COST), 1_121n, 'counted anew');
  t.equal(await used(), 1_121);
});

t.test('follows other processes', async (t) => {
  const directory = temporaryDirectory(t);
  const mine = testLedger(directory).ledger;
  const theirs = testLedger(directory).ledger;
  const seen: string[] = [];
  const limits = { [COST]: 3 };
  const counters = new LedgerCounters({
    directory,
    checkpointPath: join(directory, 'counters.json'),
    now: Date.now,
    own: mine,
    onFinal: ({ id }) => seen.push(id),
  });
  await held(theirs, hold('theirs', { limits }));
  await held(mine, hold('mine', { limits }));
  await counters.open();
  t.same([...counters.seed('x').holds.keys()].sort(), ['mine', 'theirs']);
  for (const ledger of [mine, theirs]) {
    ledger.finish(final(ledger === mine ? 'mine' : 'theirs', { limits: [COST], cost_nano_usd: 2 }));
    await ledger.synced();
  }
  await counters.advance();
  t.same(seen, ['theirs']);
  t.equal(counters.seed('x').used.get(COST), 4n);
  await theirs.close();
  await mine.close();
  await counters.stop();
  t.ok(existsSync(join(directory, 'counters.json')), 'a last checkpoint');
});

/** One step of the history: in a boot, a request begins or ends; or the counting process dies and starts again. */
const STEP = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('entry' as const), boot: fc.nat(2), request: fc.nat(12) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('advance' as const, 'checkpoint' as const, 'restart' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('death' as const), boot: fc.nat(2), half: fc.boolean() }) },
);

t.test('any history: checkpoints and restarts change nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 40 }), async (steps) => {
      const directory = temporaryDirectory(t);
      const ledger = join(directory, 'ledger');
      const checkpointPath = join(directory, 'counters.json');
      const make = () => new LedgerCounters({ directory: ledger, checkpointPath, now: () => NOW });
      const names = [0, 1, 2].map((number) => `20261101T08000000${number}Z-0`);
      const files = names.map((name) => bootWith(ledger, name, [], currentOwner()));
      const dead = new Set<number>();
      const open = new Set<number>();
      const done = new Set<number>();
      let sum = 0;
      let counters = make();
      await counters.open();
      for (const step of steps) {
        if (step.kind === 'entry') {
          const { boot, request } = step;
          if (dead.has(boot) || done.has(request)) continue;
          const id = `r${request}`;
          if (open.delete(request)) {
            done.add(request);
            sum += request + 1;
            appendFileSync(files[boot] ?? '', encodeLine(final(id, { limits: [COST], cost_nano_usd: request + 1 })));
          } else {
            open.add(request);
            appendFileSync(files[boot] ?? '', encodeLine(hold(id, { limits: { [COST]: 50 }, expires: NOW + 1 })));
          }
        } else if (step.kind === 'death') {
          if (dead.has(step.boot)) continue;
          dead.add(step.boot);
          if (step.half)
            appendFileSync(files[step.boot] ?? '', encodeLine(final('x', { limits: [COST] })).slice(0, 60));
          releaseDirectory(join(ledger, names[step.boot] ?? ''));
        } else if (step.kind === 'restart') {
          counters = make();
          await counters.open();
        } else await (step.kind === 'advance' ? counters.advance() : counters.checkpoint());
      }
      await counters.advance();
      const seed = counters.seed('x');
      t.equal(seed.used.get(COST) ?? 0n, BigInt(sum));
      t.same([...seed.holds.keys()].sort(), [...open].map((request) => `r${request}`).sort());
      t.same(plain(await collect(ledger)), plain(seed), 'as read from the beginning');
      return t.passing();
    }),
    { numRuns: 60 },
  );
});
