import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { IssuedKey } from '../../../src/store/keys/issued-key.js';
import { parseIssuedKey } from '../../../src/store/keys/issued-key.js';
import { decodeKeyLines, encodeKeyLine } from '../../../src/store/keys/key-line.js';
import { openKeyStore } from '../../../src/store/keys/open-key-store.js';
import { keepPepper, readPepper } from '../../../src/store/keys/pepper-file.js';
import { eventually } from '../../eventually.js';
import { Memory, sampleKey } from './sample-key.js';

const keys = ['k1', 'k2', 'k3', 'k4'].map((id) => sampleKey(id));

t.test('lines', async (t) => {
  const whole = Buffer.from(keys.map(encodeKeyLine).join(''));
  t.same(decodeKeyLines(whole, { end: true }), { keys, consumed: whole.length, damaged: [] });

  t.test('cut into pieces anywhere, every key comes once and nothing is damage', async () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: whole.length }), { maxLength: 12 }), (cuts) => {
        const found: IssuedKey[] = [];
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), whole.length]) {
          const read = decodeKeyLines(whole.subarray(from, to), { end: to === whole.length });
          if (read.damaged.length > 0) return false;
          found.push(...read.keys);
          from += read.consumed;
        }
        return JSON.stringify(found) === JSON.stringify(keys);
      }),
    );
  });

  t.test('a torn write costs only itself and is no damage', async () => {
    const torn = Buffer.from(encodeKeyLine(sampleKey('torn')));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: torn.length - 1 }), fc.nat(3), (length, after) => {
        const pieces = keys.map((key) => Buffer.from(encodeKeyLine(key)));
        pieces.splice(after, 0, torn.subarray(0, length));
        const read = decodeKeyLines(Buffer.concat(pieces), { end: true });
        // A line that lacks only its newline is whole: the next one brings it.
        const expected = length === torn.length - 1 ? keys.length + 1 : keys.length;
        return read.damaged.length === 0 && read.keys.length === expected;
      }),
    );
  });

  t.test('a flipped bit never makes another key, and never costs more than two lines', async () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        const read = decodeKeyLines(bytes, { end: true });
        const known = new Set(keys.map((key) => JSON.stringify(key)));
        return read.keys.every((key) => known.has(JSON.stringify(key))) && read.keys.length >= keys.length - 2;
      }),
    );
  });
});

t.test('a stored key that is none', async (t) => {
  const good = JSON.stringify(keys[0]);
  t.same(parseIssuedKey(good), keys[0]);
  for (const wrong of ['', 'null', '7', '[]', '{}', good.replace('"revision":1', '"revision":"1"')])
    t.equal(parseIssuedKey(wrong), null, wrong.slice(0, 20));
  t.equal(parseIssuedKey(good.replace(/"hmac":"[^"]*"/, '"hmac":"ab"')), null, 'a digest of another length');
});

t.test('the file of a running process', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'keys.log');
  const store = await openKeyStore({ kind: 'file', directory });
  t.teardown(() => store.close());
  const memory = new Memory();
  await store.follow(memory);
  t.same(await store.put(sampleKey('first')), { kind: 'stored' });
  t.equal(statSync(path).mode & 0o777, 0o600);
  appendFileSync(path, '\n0badc0de {"id":"damaged"}\n');
  t.same(await store.put(sampleKey('second')), { kind: 'stored' });
  t.match(memory.problems, [/^keys\.log: damaged line at offset \d+: what it said about one key is lost$/]);
  const damagedAt = readFileSync(path).indexOf('0badc0de');
  t.ok(memory.problems[0]?.includes(`offset ${damagedAt}:`), 'the offset is that of the line');
  appendFileSync(path, encodeKeyLine(sampleKey('torn')).slice(0, 40));
  t.same(await store.put(sampleKey('third')), { kind: 'stored' });
  t.equal(memory.problems.length, 1, 'a torn line is not reported');
  const later = new Memory();
  const reader = await openKeyStore({ kind: 'file', directory });
  t.teardown(() => reader.close());
  await reader.follow(later);
  t.same([...later.keys.keys()], ['first', 'second', 'third']);
  writeFileSync(path, '');
  await eventually('a file cut short gets its keys back', () => statSync(path).size > 0);
  await eventually('and all of them', () => readFileSync(path, 'utf8').includes('"third"'));
});

t.test('the pepper', async (t) => {
  const path = join(t.testdir(), 'new', 'pepper');
  t.equal(readPepper(path), null);
  const pepper = keepPepper(path);
  t.match(pepper, /^[0-9a-f]{64}$/);
  t.equal(keepPepper(path), pepper);
  t.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(path, 'short');
  t.throws(() => keepPepper(path), /is no pepper/, 'never replaced: keys depend on it');
});
