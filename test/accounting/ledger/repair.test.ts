import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { isSettled, markSettled } from '../../../src/accounting/ledger/boots.js';
import type { LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import { claimDirectory, currentOwner } from '../../../src/accounting/ledger/owner.js';
import { readLedger } from '../../../src/accounting/ledger/read-ledger.js';
import { repairLedger } from '../../../src/accounting/ledger/repair.js';
import { salvage } from '../../../src/accounting/ledger/salvage.js';
import { verifyLedger } from '../../../src/accounting/ledger/verify.js';
import { DEAD, final, hold, temporaryDirectory } from '../samples.js';

const BOOT = '20261101T080000000Z-0';
// What a client sends as its name must never be taken for an entry.
const FORGED = encodeLine(final('forged')).trim();
const ENTRIES: readonly LedgerEntry[] = [
  hold('a'),
  hold('b', { user: FORGED }),
  final('a', { user: FORGED }),
  final('c', { type: 'refusal' }),
  hold('d'),
  final('b'),
];
const LINES = ENTRIES.map((entry) => Buffer.from(encodeLine(entry)));
const TEXT = Buffer.concat(LINES);

function ledgerWith(directory: string, bytes: Buffer | string, boot = BOOT): string {
  mkdirSync(directory, { recursive: true });
  if (!claimDirectory(directory, boot, DEAD)) throw new Error('boot is there');
  const file = join(directory, boot, '00000001.ledger');
  writeFileSync(file, bytes);
  return file;
}

async function idsOf(directory: string): Promise<string[]> {
  const seen: string[] = [];
  await readLedger(directory, ({ type, id }) => seen.push(`${type} ${id}`), { repair: true });
  return seen;
}

/** Bits to flip, bytes to take out, and where the file ends. */
const HARM = fc.record({
  flips: fc.array(fc.nat(TEXT.length * 8 - 1), { maxLength: 5 }),
  // Newlines are few, and what is around them matters most.
  ends: fc.array(fc.record({ line: fc.nat(LINES.length - 1), byte: fc.nat(255) }), { maxLength: 3 }),
  length: fc.oneof(fc.constant(TEXT.length), fc.nat(TEXT.length)),
});

t.test('case 111: after any harm: every whole entry stays, nothing else comes, and the ledger is sound', async (t) => {
  await fc.assert(
    fc.asyncProperty(HARM, async ({ flips, ends, length }) => {
      const directory = temporaryDirectory(t);
      const bytes = Buffer.from(TEXT);
      for (const bit of flips) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let end = 0;
      const ending = LINES.map((line) => {
        end += line.length;
        return end - 1;
      });
      for (const { line, byte } of ends) bytes[ending[line] ?? 0] = byte;
      const harmed = bytes.subarray(0, length);
      const file = ledgerWith(directory, harmed);
      const report = await repairLedger({ directory });
      const whole = ENTRIES.filter((_, at) => {
        const last = ending[at] ?? 0;
        const first = last - (LINES[at]?.length ?? 0) + 1;
        return last <= length && bytes.subarray(first, last).equals(TEXT.subarray(first, last));
      });
      t.same(
        await idsOf(directory),
        whole.map(({ type, id }) => `${type} ${id}`),
      );
      t.match(await verifyLedger(directory), { ok: true, torn: [], entries: whole.length });
      t.same(await repairLedger({ directory }), { repaired: [], living: [] }, 'a second time there is nothing');
      const copy = report.repaired[0]?.copy ?? null;
      if (copy !== null) t.same(readFileSync(copy), harmed, 'the old file is kept');
      else t.same(readFileSync(file), harmed.subarray(0, readFileSync(file).length), 'or was only cut');
      return t.passing();
    }),
    { numRuns: 150 },
  );
});

t.test('text inside an entry is no entry; garbage of any kind is none', async (t) => {
  const line = Buffer.from(
    encodeLine(hold('x', { user: FORGED }))
      .trim()
      .replace('"hold"', '"hole"'),
  );
  t.same(salvage(line), []);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => salvage(Buffer.from(bytes)).length === 0));
  const long = Buffer.from('0123abcd {}'.repeat(50_000));
  t.same(salvage(long), []);
});

t.test('an unfinished end is cut off, a second copy does not write over the first', async (t) => {
  const directory = temporaryDirectory(t);
  const file = ledgerWith(directory, Buffer.concat([TEXT, Buffer.from('0123')]));
  t.match(await repairLedger({ directory }), {
    repaired: [{ copy: null, removed: [{ offset: TEXT.length, length: 4 }] }],
  });
  t.same(readFileSync(file), TEXT);
  for (const copy of [`${file}.damaged`, `${file}.damaged-2`]) {
    writeFileSync(file, `damage\n${TEXT}`);
    t.match(await repairLedger({ directory }), { repaired: [{ copy, removed: [{ offset: 0, length: 6 }] }] });
    t.ok(existsSync(copy));
  }
});

t.test('a hold that comes to light is searched for again', async (t) => {
  const directory = temporaryDirectory(t);
  const joined = Buffer.concat([LINES[0] ?? Buffer.alloc(0), LINES[1] ?? Buffer.alloc(0)]);
  joined[(LINES[0]?.length ?? 1) - 1] = 0x0b;
  const file = ledgerWith(directory, Buffer.concat([joined, encodedFinal('z')]));
  const boot = { name: BOOT, directory: join(directory, BOOT) };
  markSettled(boot);
  t.match(await repairLedger({ directory }), { repaired: [{ file, salvaged: 2 }] });
  t.notOk(isSettled(boot));
  t.match(await verifyLedger(directory), { ok: true, open_holds: 2 });
});

function encodedFinal(id: string): Buffer {
  return Buffer.from(encodeLine(final(id)));
}

t.test('a living process is left alone, and told; a line of a kind that is not known yet is kept', async (t) => {
  const directory = temporaryDirectory(t);
  claimDirectory(directory, BOOT, currentOwner());
  const file = join(directory, BOOT, '00000001.ledger');
  const bytes = `damage\n${TEXT}0123abcd {"half`;
  writeFileSync(file, bytes);
  const progress: number[] = [];
  const report = await repairLedger({ directory, onProgress: (done, all) => progress.push(done / all) });
  t.same(report, { repaired: [], living: [{ file, offset: 0, length: 6 }] });
  t.same(progress, [0, 1]);
  t.equal(readFileSync(file, 'utf8'), bytes);
  const other = temporaryDirectory(t);
  const later = encodeLine({ ...hold('later'), type: 'note' } as unknown as LedgerEntry);
  const kept = ledgerWith(other, `damage\n${later}${TEXT}`);
  await repairLedger({ directory: other });
  t.equal(readFileSync(kept, 'utf8'), `${later}${TEXT}`);
  t.match(await verifyLedger(other), { ok: true, entries: ENTRIES.length });
});
