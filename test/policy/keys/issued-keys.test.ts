import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import t from 'tap';
import { createKeyRing } from '../../../src/policy/keys/create-key-ring.js';
import { createFixedKeyRing } from '../../../src/policy/keys/fixed-key-ring.js';
import { IssuedKeys } from '../../../src/policy/keys/issued-keys.js';
import { generateKey, generateKeyText } from '../../../src/policy/keys/key-format.js';
import { createPepper, keyDigest } from '../../../src/policy/keys/pepper.js';
import { encodeKeyLine } from '../../../src/store/keys/key-line.js';
import { openKeyStore } from '../../../src/store/keys/open-key-store.js';
import { eventually } from '../../eventually.js';
import { sampleKey } from '../../store/keys/sample-key.js';
import { type DeskUnderTest, fixedKey, openDesk } from './key-desk-under-test.js';

const NOW = Date.UTC(2026, 10, 22);

async function create(desk: DeskUnderTest, fields = {}): Promise<{ id: string; secret: string }> {
  const empty = { labels: {}, models: null, endpoints: null, expires: null, metadata: {} };
  const { key, secret } = await desk.desk.change({ action: 'create', fields: { ...empty, ...fields } });
  return { id: key.id, secret: secret ?? '' };
}

t.test('a key that was issued', async (t) => {
  const directory = t.testdir();
  const one = await openDesk(t, directory);
  const { id, secret } = await create(one, { labels: { team: 'search' }, models: ['smart'], endpoints: ['/v1/*'] });
  const expected = { id, labels: { team: 'search' }, models: ['smart'], endpoints: ['/v1/*'], expiresAt: null };
  t.same(one.ring.find(secret, NOW), expected);
  t.equal(
    one.ring.find(secret, NOW),
    one.ring.find(secret, NOW),
    'one object, so that what was compiled for it is kept',
  );
  t.same((await openDesk(t, directory)).ring.find(secret, NOW), expected, 'in another process, after a restart');
  const stored = readFileSync(join(directory, 'keys.log'), 'utf8');
  t.notOk(stored.includes(secret.slice(15)), 'the secret is not in the file');

  t.test('case 7: the stored digest is no key', async (t) => {
    const { hmac } = one.ring.get(id)?.secrets[0] ?? { hmac: '' };
    t.equal(hmac.length, 64);
    for (const text of [hmac, `sk-tg-${id}-${hmac}`, generateKeyText(id), Buffer.from(hmac, 'hex').toString('latin1')])
      t.equal(one.ring.find(text, NOW), null);
  });

  t.test('case 9: texts that are no keys', async (t) => {
    const hostile = ["'", '%', '\0', 'a\r\nb', '\u212a', 'x'.repeat(65_536), '\ud800', '__proto__', 'constructor', ''];
    for (const text of hostile) {
      for (const given of [text, `sk-tg-${text}`, secret + text.slice(0, 1) + (text === '' ? ' ' : '')])
        t.equal(one.ring.find(given, NOW), null, JSON.stringify(given.slice(0, 40)));
      t.equal(
        one.ring.findLater(text, NOW, () => t.fail()),
        false,
        'no look into the store for what is no key of ours',
      );
    }
  });

  t.test('keys that share a beginning', async (t) => {
    const other = generateKeyText(id, (size) => Buffer.alloc(size, 7));
    t.equal(one.ring.find(other, NOW), null);
    const twin = await create(one, { labels: { team: 'twin' } });
    for (let round = 0; round < 3; round += 1) {
      t.match(one.ring.find(secret, NOW), { id, labels: { team: 'search' } });
      t.match(one.ring.find(twin.secret, NOW), { id: twin.id, labels: { team: 'twin' } });
    }
  });
});

t.test('case 3, 4, 12: expiry, revocation and rotation count to the millisecond', async (t) => {
  const desk = await openDesk(t, t.testdir());
  const expires = NOW + 60_000;
  const { id, secret } = await create(desk, { expires });
  t.ok(desk.ring.find(secret, expires - 1));
  t.equal(desk.ring.find(secret, expires), null);
  t.equal((await desk.desk.change({ action: 'patch', id, fields: { expires: null } })).key.expires, null);
  t.ok(desk.ring.find(secret, expires));

  const rotated = await desk.desk.change({ action: 'rotate', id, graceMs: 60_000 });
  const until = NOW + 60_000;
  t.same(rotated.key.old_secrets_until, [new Date(until).toISOString()]);
  const fresh = rotated.secret ?? '';
  t.not(fresh, secret);
  t.equal(desk.ring.find(fresh, NOW)?.id, id);
  t.equal(desk.ring.find(secret, until - 1)?.id, id, 'the old one through the grace period');
  t.equal(desk.ring.find(secret, until), null);
  t.equal(desk.ring.find(fresh, until)?.id, id);
  const at = await desk.desk.change({ action: 'rotate', id, graceMs: 0 });
  t.equal(desk.ring.find(fresh, NOW), null, 'without a grace period');
  t.equal(desk.ring.find(secret, NOW), null, 'nor does an older one live longer');

  t.equal((await desk.desk.change({ action: 'revoke', id })).key.state, 'revoked');
  t.equal(desk.ring.find(at.secret ?? '', NOW), null);
  t.match(desk.audited, [
    { action: 'create', key: id, by: 'admin', revision: 1 },
    { action: 'patch', revision: 2 },
    { action: 'rotate', revision: 3 },
    { action: 'rotate', revision: 4 },
    { action: 'revoke', revision: 5 },
  ]);
  t.notMatch(JSON.stringify([desk.audited, desk.problems]), /sk-tg-/, 'no secret in the audit');
});

t.test('case 3: what one process changes counts in the other within a second', async (t) => {
  const directory = t.testdir();
  const one = await openDesk(t, directory);
  const two = await openDesk(t, directory);
  const { id, secret } = await create(one);
  t.equal(two.ring.find(secret, NOW), null, 'not known yet');
  const later = await new Promise((resolve) => t.equal(two.ring.findLater(secret, NOW, resolve), true));
  t.match(later, { kind: 'found', key: { id } }, 'but worth a look: a new key works at once everywhere');
  const wrong = await new Promise((resolve) => two.ring.findLater(generateKey().text, NOW, resolve));
  t.same(wrong, { kind: 'unknown' });
  const times: number[] = [];
  for (const key of [{ id, secret }, await create(two), await create(two)]) {
    await eventually('known', () => one.ring.find(key.secret, NOW) !== null);
    await two.desk.change({ action: 'revoke', id: key.id });
    const began = performance.now();
    await eventually('revoked', () => one.ring.find(key.secret, NOW) === null);
    times.push(performance.now() - began);
  }
  // A busy machine may be late now and then.
  t.ok(Math.min(...times) < 1_000, `revoked elsewhere after ${times.map(Math.round).join(', ')} ms`);
});

t.test('while the store cannot be reached', async (t) => {
  const ring = new IssuedKeys({ peppers: [createPepper('p')], look: async () => {}, onProblem: () => {} });
  const key = generateKey();
  const answers: unknown[] = [];
  ring.stands({ trouble: 'Redis cannot be reached', loaded: false });
  t.equal(
    ring.findLater(key.text, NOW, (result) => answers.push(result)),
    true,
  );
  t.same(answers, [{ kind: 'unavailable', reason: 'Redis cannot be reached' }], 'never read: nobody can tell');
  ring.stands({ trouble: 'Redis cannot be reached', loaded: true });
  t.equal(
    ring.findLater(key.text, NOW, (result) => answers.push(result)),
    false,
    'read before: as it was',
  );
  t.same(ring.troubles, ['Redis cannot be reached']);
});

t.test('peppers', async (t) => {
  const directory = t.testdir();
  const generated = await openDesk(t, directory);
  const before = await create(generated);
  const configured = await openDesk(t, directory, { pepper: 'a pepper of the operator' });
  t.ok(configured.ring.find(before.secret, NOW), 'keys under the generated one go on');
  const after = await create(configured);
  t.ok(configured.ring.find(after.secret, NOW));
  t.same(configured.ring.troubles, []);
  await generated.ring.findLater(after.secret, NOW, () => {});
  await eventually('the other process has read the key', () => generated.ring.get(after.id) !== null);
  t.equal(generated.ring.find(after.secret, NOW), null);
  t.match(generated.ring.troubles, [/^1 issued keys were made under another pepper: set the same admin.pepper/]);
  await configured.desk.change({ action: 'revoke', id: after.id });
  await eventually('a revoked one troubles nobody', () => generated.ring.troubles.length === 0);
});

t.test('all kinds of keys in one ring', async (t) => {
  const desk = await openDesk(t, t.testdir());
  const { id, secret } = await create(desk);
  const own = generateKey();
  const sha256 = createHash('sha256').update(own.text).digest('hex');
  const fixed = createFixedKeyRing([fixedKey('fixed', { sha256 })]);
  const ring = createKeyRing({ fixed, issued: desk.ring, tokens: null });
  t.equal(ring.find(own.text, NOW)?.id, 'fixed', 'a fixed key may look like an issued one');
  t.equal(ring.find(secret, NOW)?.id, id);
  t.equal(ring.find('something else entirely', NOW), null);
  t.equal(
    ring.findLater?.('something else entirely', NOW, () => t.fail()),
    false,
  );
});

t.test('case 8: no tenant is ever taken for another', async () => {
  const pepper = createPepper('p');
  const ring = new IssuedKeys({ peppers: [pepper], look: async () => {}, onProblem: () => {} });
  const texts = Array.from({ length: 200 }, () => generateKey());
  const digest = (text: string): string => keyDigest(pepper, text).toString('hex');
  const revisions = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(199), fc.boolean()), { maxLength: 60 }), (steps) => {
      for (const [index, revoke] of steps) {
        const key = texts[index] ?? generateKey();
        const revision = (revisions.get(key.id) ?? 0) + 1;
        revisions.set(key.id, revision);
        const secrets = [{ hmac: digest(key.text), pepper: pepper.name, validUntil: null }];
        const revoked = revoke ? 1 : null;
        const issued = sampleKey(key.id, { labels: { tenant: key.id }, revision, revoked, secrets });
        ring.learn([issued, { ...issued, revision: revision - 1, revoked: revoke ? null : 1 }]);
        const found = ring.find(key.text, NOW);
        if (revoke ? found !== null : found?.labels['tenant'] !== key.id) return false;
      }
      return true;
    }),
    { numRuns: 50 },
  );
});

t.test('case 6: the time of a check says nothing about the key', async (t) => {
  const pepper = createPepper('p');
  const ring = new IssuedKeys({ peppers: [pepper], look: async () => {}, onProblem: () => {} });
  const real = generateKey();
  const hmac = keyDigest(pepper, real.text).toString('hex');
  ring.learn([sampleKey(real.id, { secrets: [{ hmac, pepper: pepper.name, validUntil: null }] })]);
  // A disturbed machine can show a chance correlation now and then, a leak shows it every time.
  const rounds: ReturnType<typeof measure>[] = [];
  const least = (name: 'correlation' | 'step'): number => Math.min(...rounds.map((round) => Math.abs(round[name])));
  do rounds.push(measure(ring, real.text));
  while (rounds.length < 8 && (least('correlation') >= 0.02 || least('step') >= 0.1));
  t.comment(`|r| of ${rounds.map((round) => round.correlation.toFixed(4)).join(', ')}`);
  t.ok(least('correlation') < 0.02, `|r| = ${least('correlation').toFixed(4)} between shared characters and time`);
  // The id is public and says by itself whether there is such a key; still, the work is the same.
  t.ok(least('step') < 0.1, `${(least('step') * 100).toFixed(1)} % between known and unknown ids`);
});

const PUBLIC = 'sk-tg-'.length + 8;

/**
 * Times 20,000 wrong keys that share 0 to 40 leading characters with a real one: the correlation of time with the shared
 * characters where they reach into the secret, and how much longer a check with a known id takes, as a share.
 */
function measure(ring: IssuedKeys, real: string): { readonly correlation: number; readonly step: number } {
  const wrong = Array.from({ length: 20_000 }, (_, index) => {
    const shared = (index * 17) % 41;
    return { shared, text: sharing(real, shared), time: 0 };
  });
  for (const { text } of wrong.slice(0, 5000)) ring.find(text, NOW);
  for (const sample of wrong) {
    const began = process.hrtime.bigint();
    ring.find(sample.text, NOW);
    sample.time = Number(process.hrtime.bigint() - began);
  }
  // Pauses of the machine are no work of the check.
  const cap = wrong.map(({ time }) => time).sort((a, b) => a - b)[18_000] ?? 0;
  const usual = wrong.filter(({ time }) => time <= cap);
  const [known, unknown] = [usual.filter(({ shared }) => shared > PUBLIC), usual.filter(({ shared }) => shared <= 5)];
  return {
    correlation: pearson(
      known.map(({ shared }) => shared),
      known.map(({ time }) => time),
    ),
    step: mean(known.map(({ time }) => time)) / mean(unknown.map(({ time }) => time)) - 1,
  };
}

/** A well-formed wrong key that has the first `shared` characters of the real one. */
function sharing(real: string, shared: number): string {
  const digits = real.slice(6, 14) + real.slice(15, 58);
  const keep = Math.max(0, shared < 15 ? shared - 6 : shared - 7);
  const other = generateKey().text;
  const id = keep >= 8 ? digits.slice(0, 8) : digits.slice(0, keep) + other.slice(6 + keep, 14);
  const wanted = keep > 8 ? digits.slice(8, keep) : '';
  // As the bytes of a header come: one flat string, whatever its parts were.
  return Buffer.from(generateKeyText(id, textSource(wanted))).toString('latin1');
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Random bytes that begin with what spells the wanted text. */
function textSource(wanted: string): (size: number) => Buffer {
  const bytes = [...wanted].map((letter) => ALPHABET.indexOf(letter));
  return (size) => Buffer.from(Array.from({ length: size }, (_, at) => bytes[at] ?? Math.floor(Math.random() * 248)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function pearson(xs: readonly number[], ys: readonly number[]): number {
  const [x, y] = [mean(xs), mean(ys)];
  let [xy, xx, yy] = [0, 0, 0];
  xs.forEach((value, index) => {
    const [dx, dy] = [value - x, (ys[index] ?? 0) - y];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  });
  return xy / Math.sqrt(xx * yy);
}

t.test('a start with a hundred thousand keys', async (t) => {
  const directory = t.testdir();
  const pepper = createPepper('p');
  const { text, id } = generateKey();
  const secrets = [{ hmac: keyDigest(pepper, text).toString('hex'), pepper: pepper.name, validUntil: null }];
  const ids = Array.from({ length: 100_000 }, (_, index) => (index === 77_777 ? id : `key${index}`));
  const lines = ids.map((name) => encodeKeyLine(sampleKey(name, { secrets })));
  writeFileSync(join(directory, 'keys.log'), lines.join(''));
  const store = await openKeyStore({ kind: 'file', directory });
  t.teardown(() => store.close());
  const ring = new IssuedKeys({ peppers: [pepper], look: () => store.look(), onProblem: (problem) => t.fail(problem) });
  let began = performance.now();
  await store.follow(ring);
  const loadMs = performance.now() - began;
  t.equal(ring.size, 100_000);
  began = performance.now();
  for (let round = 0; round < 20_000; round += 1) ring.find(text, NOW);
  const checkUs = ((performance.now() - began) / 20_000) * 1000;
  t.equal(ring.find(text, NOW)?.id, id);
  t.comment(`read in ${Math.round(loadMs)} ms, ${checkUs.toFixed(2)} µs for each check`);
  t.ok(loadMs < 20_000 && checkUs < 1000, 'also on a busy machine');
});
