import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { FixedKey } from '../../src/config/snapshot.js';
import { createFixedKeyRing } from '../../src/policy/keys/fixed-key-ring.js';
import { generateKey, readKeyFormat } from '../../src/policy/keys/key-format.js';
import { offeredProtocols, readPresentedKey } from '../../src/policy/keys/presented-key.js';

function fixed(id: string, secret: string, more: Partial<FixedKey> = {}): FixedKey {
  const sha256 = createHash('sha256').update(secret).digest('hex');
  return { id, sha256, labels: { team: id }, models: null, endpoints: null, expiresAt: null, metadata: {}, ...more };
}

t.test('key format', async (t) => {
  t.test('case 113: round trip, and any one change is noticed', async () => {
    const seeds = fc.infiniteStream(fc.nat(255));
    fc.assert(
      fc.property(seeds, fc.nat(63), fc.nat(61), (bytes, position, other) => {
        const key = generateKey((size) => Buffer.from([...bytes.take(size)]));
        const read = readKeyFormat(key.text);
        const replacement = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'.charAt(other);
        const changed = key.text.slice(0, position) + replacement + key.text.slice(position + 1);
        const stillIssued = readKeyFormat(changed).kind === 'issued';
        return (
          key.text.length === 64 &&
          read.kind === 'issued' &&
          read.id === key.id &&
          (changed === key.text) === stillIssued
        );
      }),
      { numRuns: 500 },
    );
  });
  t.test('known values', async (t) => {
    const zeros = generateKey((size) => Buffer.alloc(size));
    t.equal(zeros.id, '00000000');
    t.equal(zeros.text, `sk-tg-${'0'.repeat(8)}-${'0'.repeat(43)}2OvSO2`, 'checksum as another CRC32 gives it');
    t.not(generateKey().text, generateKey().text);
    t.equal(readKeyFormat('sk-proj-abcdefghijkl').kind, 'foreign');
    for (const broken of [
      'sk-tg-',
      'sk-tg-short',
      `${zeros.text}0`,
      zeros.text.slice(0, -1),
      `${zeros.text.slice(0, -1)}é`,
      `sk-tg-${'\0'.repeat(58)}`,
    ]) {
      t.equal(readKeyFormat(broken).kind, 'malformed', JSON.stringify(broken));
    }
  });
});

t.test('fixed keys', async (t) => {
  const now = Date.UTC(2026, 10, 22);
  const ring = createFixedKeyRing([
    fixed('web', 'a-secret-of-the-web-team'),
    fixed('old', 'an-expired-secret-here', { expiresAt: now }),
    fixed('upper', 'UPPER-case-digest-too', { models: ['a/*'], endpoints: ['/v1/chat/*'] }),
  ]);
  t.same(ring.find('a-secret-of-the-web-team', now), {
    id: 'web',
    labels: { team: 'web' },
    models: null,
    endpoints: null,
    expiresAt: null,
  });
  t.equal(ring.find('an-expired-secret-here', now), null, 'expires at that moment');
  t.equal(ring.find('an-expired-secret-here', now - 1)?.id, 'old');
  t.same(ring.find('UPPER-case-digest-too', now)?.endpoints, ['/v1/chat/*']);
  t.equal(ring.find('a-secret-of-the-web-team', now), ring.find('a-secret-of-the-web-team', now), 'the same object');
  for (const hostile of [
    '',
    '\0',
    'A-secret-of-the-web-team',
    'a-secret-of-the-web-tea',
    'a-secret-of-the-web-team\0',
    '\ud800',
    'é'.repeat(10),
    'x'.repeat(5_000_000),
  ]) {
    t.equal(ring.find(hostile, now), null, hostile.slice(0, 20));
  }
  t.equal(createFixedKeyRing([]).find('anything-at-all-here', now), null);
  t.throws(
    () => createFixedKeyRing([fixed('a', 'the same secret'), fixed('b', 'the same secret')]),
    /a and b have the same secret/,
  );
  t.throws(() => createFixedKeyRing([fixed('a', 'x', { sha256: 'abc' })]), /not a SHA-256/);
  t.throws(() => createFixedKeyRing([fixed('a', 'x', { sha256: 'z'.repeat(64) })]), /not a SHA-256/);
});

t.test('presented keys', async (t) => {
  const read = (headers: Readonly<Record<string, readonly string[]>>) =>
    readPresentedKey((name) => headers[name] ?? []);
  const key = (secret: string) => ({ kind: 'key', secret });
  const cases: readonly (readonly [string, Readonly<Record<string, readonly string[]>>, object])[] = [
    ['nothing', {}, { kind: 'none' }],
    ['bearer', { authorization: ['Bearer k1'] }, key('k1')],
    ['scheme in any case, spaces', { authorization: ['bEARER   k1  '] }, key('k1')],
    ['no token', { authorization: ['Bearer '] }, { kind: 'none' }],
    ['empty', { authorization: [''], 'x-api-key': [''] }, { kind: 'none' }],
    ['another scheme', { authorization: ['Basic abc'] }, { kind: 'none' }],
    ['another scheme and a key', { authorization: ['Basic abc'], 'x-api-key': ['k'] }, key('k')],
    ['anthropic', { 'x-api-key': ['k'] }, key('k')],
    ['azure', { 'api-key': ['k'] }, key('k')],
    ['google', { 'x-goog-api-key': ['k'] }, key('k')],
    ['the same twice', { authorization: ['Bearer k'], 'x-api-key': ['k'] }, key('k')],
    ['two different', { authorization: ['Bearer k'], 'x-api-key': ['other'] }, { kind: 'ambiguous' }],
    [
      'a subprotocol',
      { 'sec-websocket-protocol': ['realtime, openai-insecure-api-key.k', 'openai-beta.realtime-v1'] },
      { kind: 'key', secret: 'k' },
    ],
    [
      'subprotocols without a key',
      { 'sec-websocket-protocol': ['realtime', 'openai-insecure-api-key.'] },
      { kind: 'none' },
    ],
    [
      'a subprotocol and another header',
      { 'x-api-key': ['k'], 'sec-websocket-protocol': ['openai-insecure-api-key.l'] },
      { kind: 'ambiguous' },
    ],
    ['two different plain', { 'api-key': ['k'], 'x-goog-api-key': ['K'] }, { kind: 'ambiguous' }],
    ['one header, two values', { 'x-api-key': ['a', 'b'] }, { kind: 'ambiguous' }],
    ['two authorizations', { authorization: ['Bearer k', 'Bearer k'] }, { kind: 'ambiguous' }],
    ['two authorizations joined', { authorization: ['Bearer k, Bearer l'] }, { kind: 'ambiguous' }],
    ['joined with another scheme', { authorization: ['Basic x,bearer l'] }, { kind: 'ambiguous' }],
    ['a comma in the key', { authorization: ['Bearer k,l'] }, key('k,l')],
    ['bytes that are no text', { authorization: ['Bearer \0é\u2028'] }, key('\0é')],
  ];
  for (const [name, headers, expected] of cases) t.same(read(headers), expected, name);
  t.equal(read({ 'x-api-key': ['x'.repeat(1_000_000)] }).kind, 'key');
});

t.test('what a provider is offered of subprotocols', async (t) => {
  t.equal(
    offeredProtocols(['realtime, openai-insecure-api-key.k', 'openai-beta.realtime-v1']),
    'realtime, openai-beta.realtime-v1',
  );
  t.equal(offeredProtocols(['openai-insecure-api-key.k']), '');
  t.equal(offeredProtocols([]), '');
});
