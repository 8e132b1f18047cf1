import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { readLedger } from '../../../src/accounting/ledger/read-ledger.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../samples.js';
import { FaultyDisk } from './faulty-disk.js';

async function entriesOf(directory: string): Promise<string[]> {
  const entries: LedgerEntry[] = [];
  await readLedger(directory, (entry) => entries.push(entry), { repair: false });
  return entries.map((entry) => `${entry.type} ${entry.id}`);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('entries of one turn leave in one write; holds answer after it', async (t) => {
  const directory = temporaryDirectory(t);
  const disk = new FaultyDisk();
  const { ledger, problems } = testLedger(directory, { disk });
  const answers: string[] = [];
  for (let number = 0; number < 100; number += 1) {
    ledger.hold(hold(`r${number}`), (error) => {
      t.equal(disk.writes, 1);
      answers.push(error?.message ?? 'ok');
    });
  }
  ledger.finish(final('r0'));
  t.equal(disk.writes, 0, 'nothing inside the call');
  await until(() => answers.length === 100);
  t.same(new Set(answers), new Set(['ok']));
  t.equal(disk.writes, 1);
  t.equal(ledger.statistics.openHolds, 99);
  await until(() => ledger.statistics.fsyncs > 0);
  t.equal((await entriesOf(directory)).length, 101, 'readable while it is open');
  await ledger.close();
  t.same(problems, []);
});

t.test('short writes are continued', async (t) => {
  const directory = temporaryDirectory(t);
  const disk = Object.assign(new FaultyDisk(), { mouthful: 7 });
  const { ledger } = testLedger(directory, { disk });
  t.equal(await held(ledger, hold('ä€😀')), undefined);
  ledger.finish(final('ä€😀'));
  await ledger.close();
  t.same(await entriesOf(directory), ['hold ä€😀', 'settle ä€😀']);
  const boot = readdirSync(directory)[0] ?? '';
  t.ok(readdirSync(join(directory, boot)).includes('settled'), 'nothing is left to do for others');
});

for (const failTruncate of [false, true]) {
  t.test(`a full disk refuses holds, keeps final entries, recovers (truncation fails: ${failTruncate})`, async (t) => {
    const directory = temporaryDirectory(t);
    const disk = Object.assign(new FaultyDisk(), { failTruncate });
    const { ledger, problems } = testLedger(directory, { disk });
    t.equal(await held(ledger, hold('before')), undefined);
    // The next batch stops in the middle of its third line.
    disk.space = 2 * lineLength(directory) + 40;
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((id) => held(ledger, hold(id.padEnd(6, '.')))));
    t.same(
      answers.map((error) => error?.message.slice(0, 6)),
      [undefined, undefined, 'ENOSPC', 'ENOSPC'],
    );
    t.notOk(ledger.writable);
    for (const id of ['before', 'a.....', 'b.....']) ledger.finish(final(id));
    t.match(await held(ledger, hold('later')), { message: /ENOSPC/ });
    t.equal(ledger.statistics.ringEntries, 3);
    t.equal(problems.filter(({ kind }) => kind === 'write_failed').length, 1, 'told once');
    disk.space = Number.POSITIVE_INFINITY;
    await until(() => ledger.writable);
    t.equal(ledger.statistics.ringEntries, 0);
    t.equal(await held(ledger, hold('after')), undefined);
    ledger.finish(final('after'));
    await ledger.close();
    t.same(await entriesOf(directory), [
      'hold before',
      'hold a.....',
      'hold b.....',
      'settle before',
      'settle a.....',
      'settle b.....',
      'hold after',
      'settle after',
    ]);
  });
}

function lineLength(directory: string): number {
  const boot = readdirSync(directory).find((name) => !name.startsWith('.')) ?? '';
  return statSync(join(directory, boot, '00000001.ledger')).size;
}

t.test('case 56: the ring is bounded; what does not fit is told', async (t) => {
  const directory = temporaryDirectory(t);
  const disk = Object.assign(new FaultyDisk(), { space: 0 });
  const { ledger, problems } = testLedger(directory, { disk, backlogBytes: 1_500 });
  t.match(await held(ledger, hold('x')), { message: /ENOSPC/ });
  for (const id of ['1', '2', '3', '4']) ledger.finish(final(id));
  await new Promise(setImmediate);
  t.ok(ledger.statistics.ringBytes <= 1_500);
  t.equal(ledger.statistics.dropped, 4 - ledger.statistics.ringEntries);
  t.ok(problems.some(({ kind }) => kind === 'entry_dropped'));
  disk.space = Number.POSITIVE_INFINITY;
  await until(() => ledger.writable);
  await ledger.close();
  t.equal((await entriesOf(directory)).length, 4 - ledger.statistics.dropped);
});

t.test('segments rotate by size, a failed fsync begins another', async (t) => {
  const directory = temporaryDirectory(t);
  const disk = new FaultyDisk();
  const { ledger, problems } = testLedger(directory, { disk, segmentBytes: 2_000 });
  for (let number = 0; number < 20; number += 1) await held(ledger, hold(`r${number}`));
  t.ok(ledger.statistics.segments > 2);
  disk.failSync = true;
  await until(() => problems.some(({ kind }) => kind === 'sync_failed'));
  disk.failSync = false;
  const before = ledger.statistics.segments;
  await held(ledger, hold('last'));
  t.equal(ledger.statistics.segments, before + 1);
  await ledger.close();
  t.equal((await entriesOf(directory)).length, 21);
});

t.test('a throwing callback hurts no other; a closed ledger refuses; an unused one leaves nothing', async (t) => {
  const directory = temporaryDirectory(t);
  const { ledger, problems } = testLedger(directory);
  ledger.hold(hold('a'), () => {
    throw new Error('mine');
  });
  t.equal(await held(ledger, hold('b')), undefined);
  t.match(problems, [{ kind: 'callback_failed' }]);
  await ledger.close();
  await ledger.close();
  t.match(await held(ledger, hold('c')), { message: /closed/ });
  ledger.finish(final('a'));
  t.match(problems, [{}, { kind: 'entry_dropped' }]);
  const name = readdirSync(directory)[0] ?? '';
  t.notOk(readdirSync(join(directory, name)).includes('settled'), 'open holds are left for recovery');
  const other = temporaryDirectory(t);
  await testLedger(other).ledger.close();
  t.same(readdirSync(other), []);
  t.match(readFileSync(join(directory, name, 'owner.json'), 'utf8'), /"pid"/);
});
