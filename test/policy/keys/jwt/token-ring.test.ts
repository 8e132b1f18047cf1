import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { JwtIssuer } from '../../../../src/config/money-rules.js';
import { fetchJson } from '../../../../src/policy/keys/jwt/fetch-json.js';
import { KeySet } from '../../../../src/policy/keys/jwt/key-set.js';
import { tokenKey } from '../../../../src/policy/keys/jwt/token-key.js';
import { createTokenRing, type TokenRing } from '../../../../src/policy/keys/jwt/token-ring.js';
import { generateKey } from '../../../../src/policy/keys/key-format.js';
import type { LaterFind } from '../../../../src/policy/keys/key-ring.js';
import { type IssuerUnderTest, startIssuer } from './issuer-under-test.js';

const START = Date.UTC(2026, 10, 22);

function jwtIssuer(more: Partial<JwtIssuer> = {}): JwtIssuer {
  return {
    issuer: 'https://id.example.com/realms/main',
    jwksUrl: 'http://127.0.0.1:1/',
    audience: ['tollgate'],
    id: 'sub',
    labels: { team: 'org.team', tier: 'https://acme.com/tier' },
    fixed: { source: 'sso' },
    models: ['smart'],
    endpoints: ['/v1/chat/*'],
    ...more,
  };
}

interface Scene {
  readonly provider: IssuerUnderTest;
  readonly ring: TokenRing;
  /** Both clocks, milliseconds. */
  pass(milliseconds: number): void;
  now(): number;
  /** What a request would get: at once, or later. */
  ask(token: string): Promise<LaterFind | 'unknown at once'>;
}

async function scene(t: Test, more: Partial<JwtIssuer> = {}): Promise<Scene> {
  let now = START;
  const provider = await startIssuer(t, () => now);
  const { jwksUrl } = provider;
  const keys = new KeySet({ url: jwksUrl, fetchJson, now: () => now, onChange: () => ring.forget() });
  t.teardown(() => keys.close());
  const issuers = [jwtIssuer({ jwksUrl, ...more })];
  const ring: TokenRing = createTokenRing({ issuers, keySetOf: () => keys, now: () => now });
  return {
    provider,
    ring,
    pass(milliseconds) {
      now += milliseconds;
    },
    now: () => now,
    ask: (token) =>
      new Promise((resolve) => {
        const key = ring.find(token, now);
        if (key) resolve({ kind: 'found', key });
        else if (!ring.findLater(token, now, resolve)) resolve('unknown at once');
      }),
  };
}

t.test('a good token is a key', async (t) => {
  const { ask, provider, ring, pass, now } = await scene(t);
  const token = await provider.sign({
    org: { team: 'search' },
    'https://acme.com/tier': ['gold', 7],
    source: 'forged',
  });
  t.equal(ring.find(token, now()), null, 'the first request has to wait');
  const answers = await Promise.all([ask(token), ask(token), ask(token)]);
  const key = {
    id: 'jwt:id.example.com/realms/main:ann',
    labels: { team: 'search', tier: 'gold,7', source: 'sso' },
    models: ['smart'],
    endpoints: ['/v1/chat/*'],
    expiresAt: START + 65_000,
  };
  for (const answer of answers) t.same(answer, { kind: 'found', key });
  t.equal(provider.fetches(), 1, 'the keys are fetched once');
  t.same(ring.find(token, now()), key, 'the next one does not wait');
  pass(64_999);
  t.ok(ring.find(token, now()), 'five seconds of difference between clocks');
  pass(1);
  t.equal(ring.find(token, now()), null);
  t.same(await ask(token), { kind: 'unknown' });
});

t.test('a bad token is none', async (t) => {
  const { ask, provider, ring, now } = await scene(t);
  const seconds = START / 1000;
  const good = await provider.sign();
  t.match(await ask(good), { kind: 'found' });
  const claims: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'expired more than five seconds ago': { exp: seconds - 6 },
    'not valid for another six seconds': { nbf: seconds + 6 },
    'of another audience': { aud: 'other' },
    'without audience': { aud: undefined },
    'without an end': { exp: undefined },
    'without a subject': { sub: undefined },
    'with an empty subject': { sub: '' },
  };
  for (const [name, change] of Object.entries(claims))
    t.same(await ask(await provider.sign(change)), { kind: 'unknown' }, name);
  t.match(await ask(await provider.sign({ exp: seconds - 4, nbf: seconds + 4 })), { kind: 'found' }, 'within the skew');
  const [header = '', payload = '', signature = ''] = good.split('.');
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const forged = part({ iss: provider.issuer, aud: 'tollgate', sub: 'root', exp: seconds + 60 });
  t.same(await ask(`${header}.${forged}.${signature}`), { kind: 'unknown' }, 'the signature is of another payload');
  const unsigned = part({ alg: 'none' });
  t.same(await ask(`${unsigned}.${forged}.AA`), { kind: 'unknown' }, 'alg none');
  const symmetric = part({ alg: 'HS256', kid: 'k0' });
  const mac = createHmac('sha256', 'k').update(`${symmetric}.${forged}`).digest('base64url');
  t.same(await ask(`${symmetric}.${forged}.${mac}`), { kind: 'unknown' }, 'a shared secret');
  for (const other of [
    generateKey().text,
    'eyJ.a.b',
    `${header}.${payload}`,
    `${good}.x`,
    `${header}.${part({ iss: 'https://elsewhere' })}.${signature}`,
    `${header}.${part({ iss: ['https://id.example.com/realms/main'] })}.${signature}`,
    `${header}.bm90IGpzb24.${signature}`,
    `eyJ${'x'.repeat(20_000)}.a.b`,
  ]) {
    t.equal(await ask(other), 'unknown at once', other.slice(0, 30));
    t.equal(ring.find(other, now()), null);
  }
});

t.test('the issuer rotates its keys', async (t) => {
  const { ask, provider, ring, pass, now } = await scene(t);
  const before = await provider.sign();
  t.match(await ask(before), { kind: 'found' });
  await provider.rotate({ keepOld: true });
  const after = await provider.sign({ sub: 'bob' });
  t.same(await ask(after), { kind: 'unknown' }, 'the keys were fetched a moment ago');
  pass(5000);
  t.match(await ask(after), { kind: 'found' }, 'asked again because of the new key');
  t.equal(ring.find(before, now()), null, 'and what was verified with the old set is verified again');
  t.match(await ask(before), { kind: 'found' });
  await provider.rotate({ keepOld: false });
  pass(5000);
  t.match(await ask(await provider.sign({ sub: 'carl' })), { kind: 'found' });
  t.same(await ask(before), { kind: 'unknown' }, 'a withdrawn key');
  const fetched = provider.fetches();
  for (let index = 0; index < 50; index += 1) await ask(await provider.sign({}, { kid: `made-up-${index}` }));
  t.ok(provider.fetches() <= fetched + 1, 'made-up key ids do not become requests to the issuer');
});

t.test('the issuer cannot be reached', async (t) => {
  const { ask, provider, pass } = await scene(t);
  provider.answer(500);
  const token = await provider.sign({ exp: START / 1000 + 3600 });
  t.match(await ask(token), { kind: 'unavailable', reason: /could not be fetched/ }, 'no key known: nobody can tell');
  t.match(await ask(token), { kind: 'unavailable' });
  t.equal(provider.fetches(), 1, 'not asked at every request');
  provider.answer(200);
  pass(5000);
  t.match(await ask(token), { kind: 'found' }, 'as soon as it is back');
  provider.answer(500);
  pass(600_000);
  t.match(await ask(token), { kind: 'found' });
  t.match(await ask(await provider.sign({ sub: 'bob' })), { kind: 'found' }, 'the keys known so far go on');
  await provider.rotate({ keepOld: true });
  t.match(await ask(await provider.sign()), { kind: 'unavailable' }, 'but not for a key that nobody has seen');
});

t.test('what is refused is remembered only for a moment', async (t) => {
  const { ask, provider, pass } = await scene(t);
  const early = await provider.sign({ nbf: START / 1000 + 8, exp: START / 1000 + 60 });
  t.same(await ask(early), { kind: 'unknown' });
  t.equal(await ask(early), 'unknown at once');
  pass(5000);
  t.match(await ask(early), { kind: 'found' });
});

t.test('ids are bounded, and never those of somebody else', async (t) => {
  const idOf = (issuer: string, sub: string): string => tokenKey(jwtIssuer({ issuer }), { sub }, 0)?.id ?? '';
  t.equal(idOf('https://id.example.com/', 'a b%\n'), 'jwt:id.example.com:a%20b%25%0A');
  t.not(idOf('https://h', '8080:x'), idOf('https://h:8080', 'x'));
  t.not(idOf('https://h', 'x'), idOf('http://h', 'x'));
  const issuers = fc.constantFrom('https://h', 'https://h:1', 'http://h', 'https://h/a', 'h', 'https://h/a:b');
  const subjects = fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ minLength: 100, maxLength: 300 }));
  fc.assert(
    fc.property(issuers, subjects, issuers, subjects, (issuer, subject, otherIssuer, otherSubject) => {
      const [one, two] = [idOf(issuer, subject), idOf(otherIssuer, otherSubject)];
      const same = issuer === otherIssuer && Buffer.from(subject).equals(Buffer.from(otherSubject));
      return /^jwt:[\x21-\x7e]{2,116}$/.test(one) && (one === two) === same;
    }),
  );
});

t.test('claims that make no label', async (t) => {
  const labels = { a: '__proto__', b: 'constructor', c: 'org.toString', d: 'org', e: 'list' };
  const key = tokenKey(jwtIssuer({ labels, fixed: {} }), { sub: 'x', org: { x: 1 }, list: [{}] }, 0);
  t.same(key?.labels, {});
  t.equal(
    tokenKey(jwtIssuer({ labels: { a: 'long' } }), { sub: 'x', long: 'x'.repeat(999) }, 0)?.labels['a']?.length,
    256,
  );
});
