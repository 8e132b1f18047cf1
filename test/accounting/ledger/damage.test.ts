import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { IdSet } from '../../../src/accounting/ledger/id-set.js';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import { findOpenHolds } from '../../../src/accounting/ledger/open-holds.js';
import {
  claimDirectory,
  currentOwner,
  hasLivingOwner,
  releaseDirectory,
} from '../../../src/accounting/ledger/owner.js';
import { LedgerDamageError, readLedger } from '../../../src/accounting/ledger/read-ledger.js';
import { readSegment } from '../../../src/accounting/ledger/read-segment.js';
import { repairLedger } from '../../../src/accounting/ledger/repair.js';
import { verifyLedger } from '../../../src/accounting/ledger/verify.js';
import { DEAD, final, hold, temporaryDirectory } from '../samples.js';

const BOOT = '20261101T080000000Z-0';
const ENTRIES: readonly LedgerEntry[] = [hold('a'), hold('b'), final('a'), final('c', { type: 'refusal' }), final('b')];
const LINES = ENTRIES.map(encodeLine);
const TEXT = Buffer.from(LINES.join(''));

/** A boot of an ended process with these bytes in its only segment. */
function ledgerWith(directory: string, bytes: Buffer | string, boot = BOOT): string {
  mkdirSync(directory, { recursive: true });
  if (!claimDirectory(directory, boot, DEAD)) throw new Error('boot is there');
  const file = join(directory, boot, '00000001.ledger');
  writeFileSync(file, bytes);
  return file;
}

t.test('case 57, 111: cut at every byte: a prefix of the entries, never damage, never more', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'x.ledger');
  for (let length = 0; length <= TEXT.length; length += 1) {
    writeFileSync(file, TEXT.subarray(0, length));
    const seen: LedgerEntry[] = [];
    const reading = await readSegment(file, { last: true, visit: (entry) => seen.push(entry) });
    const whole = ENTRIES.filter((_, at) => LINES.slice(0, at + 1).join('').length - 1 <= length);
    if (JSON.stringify(seen) !== JSON.stringify(whole) || reading.damages.length > 0) {
      t.same(seen, whole, `cut at ${length}`);
    }
  }
});

t.test('case 57, 111: any flipped bits: only entries that were written, at most once each', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'x.ledger');
  const written = new Set(ENTRIES.map((entry) => JSON.stringify(entry)));
  const flips = fc.array(fc.nat(TEXT.length * 8 - 1), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(flips, fc.nat(TEXT.length), async (bits, length) => {
      const bytes = Buffer.from(TEXT);
      for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(file, length > 100 ? bytes : bytes.subarray(0, length));
      const seen: string[] = [];
      await readSegment(file, { last: true, visit: (entry) => seen.push(JSON.stringify(entry)) });
      return seen.every((entry) => written.has(entry)) && new Set(seen).size === seen.length;
    }),
    { numRuns: 500 },
  );
  t.pass();
});

t.test('case 57: damage in the middle is told with its place, skipped only when asked, repaired aside', async (t) => {
  const directory = temporaryDirectory(t);
  const bytes = Buffer.from(TEXT);
  const offset = (LINES[0] ?? '').length;
  bytes[offset + 30] = 0x21;
  const file = ledgerWith(directory, bytes);
  const damage = { file, offset, length: (LINES[1] ?? '').length - 1 };
  const refused = await readLedger(directory, () => {}, { repair: false }).catch((error) => error);
  t.ok(refused instanceof LedgerDamageError);
  t.same(refused.damages, [damage]);
  await t.rejects(findOpenHolds(directory), LedgerDamageError);
  const seen: string[] = [];
  const reading = await readLedger(directory, (entry) => seen.push(entry.id), { repair: true });
  t.same(reading.damages, [damage]);
  t.same(seen, ['a', 'a', 'c', 'b']);
  t.match(await verifyLedger(directory), { ok: false, open_holds: 0, by_type: { hold: 1, settle: 2, refusal: 1 } });
  const { repaired } = await repairLedger({ directory });
  t.same(repaired, [{ file, copy: `${file}.damaged`, removed: [damage], salvaged: 0 }]);
  t.match(await verifyLedger(directory), { ok: true, entries: 4 });
  t.same(readFileSync(`${file}.damaged`), bytes);
  t.same(await repairLedger({ directory }), { repaired: [], living: [] });
});

t.test('garbage at the end is torn, blank lines are nothing, a line without end is bounded', async (t) => {
  const directory = temporaryDirectory(t);
  const file = ledgerWith(
    directory,
    Buffer.concat([TEXT, Buffer.from('    \n\n'), Buffer.alloc(3 * 1024 * 1024, 120)]),
  );
  t.match(await verifyLedger(directory), { ok: true, entries: 5, torn: [{ file, offset: TEXT.length + 6 }] });
  const other = temporaryDirectory(t);
  ledgerWith(other, Buffer.concat([Buffer.from('junk\nmore\n'), TEXT, Buffer.from('\0\0\n\0\0\n')]));
  t.match(await verifyLedger(other), { ok: false, damages: [{ offset: 0 }, { offset: 5 }], torn: [{ length: 5 }] });
});

t.test('of two final entries the first counts; several boots in the order of their start', async (t) => {
  const directory = temporaryDirectory(t);
  ledgerWith(directory, encodeLine(final('a', { status: 500 })), '20261102T080000000Z-0');
  ledgerWith(directory, encodeLine(final('z')), '20261101T080000000Z-10');
  ledgerWith(directory, encodeLine(hold('a')) + encodeLine(final('a')), '20261101T080000000Z-9');
  const seen: string[] = [];
  const reading = await readLedger(directory, (entry) => seen.push(`${entry.type} ${entry.id}`), { repair: false });
  t.same(seen, ['hold a', 'settle a', 'settle z']);
  t.match(reading, { duplicates: 1, segments: 3, entries: 3 });
  t.same(await verifyLedger(join(directory, 'nowhere')), {
    ok: true,
    segments: 0,
    entries: 0,
    by_type: { hold: 0, settle: 0, estimate: 0, void: 0, refusal: 0 },
    duplicates: 0,
    open_holds: 0,
    damages: [],
    torn: [],
  });
});

t.test('owners: living, dead, reused pid, released, of another machine', async (t) => {
  const directory = temporaryDirectory(t);
  const me = currentOwner();
  const cases = {
    living: [me, true],
    dead: [DEAD, false],
    reused: [{ ...me, started: '1' }, false],
    pidOnly: [{ ...me, started: null }, true],
    pidOnlyDead: [{ ...DEAD, started: null }, false],
    elsewhere: [{ ...me, machine: 'another' }, true],
  } as const;
  for (const [name, [owner, alive]] of Object.entries(cases)) {
    t.ok(claimDirectory(directory, name, owner));
    t.notOk(claimDirectory(directory, name, owner), 'only once');
    t.equal(hasLivingOwner(join(directory, name)), alive, name);
  }
  releaseDirectory(join(directory, 'living'));
  t.notOk(hasLivingOwner(join(directory, 'living')));
  const { utimesSync } = await import('node:fs');
  utimesSync(join(directory, 'elsewhere', 'owner.json'), 1, 1);
  t.notOk(hasLivingOwner(join(directory, 'elsewhere')), 'no heartbeat');
});

t.test('an id set knows a million ids', async (t) => {
  const set = new IdSet();
  let fresh = 0;
  for (let number = 0; number < 1_000_000; number += 1) if (set.add(`7f3c9a10-${number.toString(16)}`)) fresh += 1;
  t.equal(fresh, 1_000_000);
  t.notOk(set.add('7f3c9a10-0'));
});
