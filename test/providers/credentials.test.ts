import fc from 'fast-check';
import t from 'tap';
import type { Credential } from '../../src/config/credential-source.js';
import type { ProviderAccount } from '../../src/config/snapshot.js';
import { Secret } from '../../src/observability/secret.js';
import { chooseByWeight } from '../../src/providers/credentials/choose.js';
import { credentialHeader, credentialHeaderNames } from '../../src/providers/credentials/header.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';
import { isForProviders, responseHeadersToRemove } from '../../src/providers/upstream-headers.js';

function accountWith(...weights: readonly number[]): ProviderAccount {
  const credentials = weights.map((weight, at): Credential => ({ secret: new Secret(`key-${at}`), weight }));
  return { name: 'p', kind: 'openai', baseUrl: 'https://x', credentials, headers: {}, apiVersion: null, probeMs: null };
}

function shares(account: ProviderAccount, from: number, count: number): number[] {
  const seen = account.credentials.map(() => 0);
  for (let rotation = from; rotation < from + count; rotation += 1) {
    const chosen = chooseByWeight(account.credentials, rotation);
    const at = chosen === null ? -1 : account.credentials.indexOf(chosen);
    seen[at] = (seen[at] ?? 0) + 1;
  }
  return seen;
}

t.test('credentials are shared by weight', async (t) => {
  t.equal(chooseByWeight([], 7), null);
  t.equal(chooseByWeight(accountWith(0).credentials, 7)?.secret.reveal(), 'key-0');
  t.strictSame(shares(accountWith(1, 0), 0, 100), [100, 0]);
  const [first = 0] = shares(accountWith(0, 0), 0, 100);
  t.ok(first >= 48 && first <= 52, 'all zero: shared equally');
  const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.integer({ min: -1e6, max: 2 ** 40 }), (given, start) => {
      const total = given.reduce((sum, weight) => sum + weight, 0);
      const seen = shares(accountWith(...given), start, 1000);
      return given.every((weight, at) => Math.abs((seen[at] ?? 0) - (1000 * weight) / total) < 15);
    }),
  );
  const account = accountWith(3, 1, 2);
  t.strictSame(shares(account, 17, 50), shares(account, 17, 50), 'the same rotations, the same choice');
});

t.test('credential headers', async (t) => {
  const credential: Credential = { secret: new Secret('s3cret'), weight: 1 };
  const openai = PROVIDER_KINDS.get('openai');
  const azure = PROVIDER_KINDS.get('azure-openai');
  if (openai === undefined || azure === undefined) throw new Error('kinds are missing');
  t.same(credentialHeader(openai, credential), { name: 'authorization', value: 'Bearer s3cret' });
  t.same(credentialHeader(azure, credential), { name: 'api-key', value: 's3cret' });
  t.equal(credentialHeader(openai, null), null);
  for (const name of ['api-key', 'authorization'])
    t.ok(credentialHeaderNames(PROVIDER_KINDS.values()).includes(name), name);
  t.same(credentialHeaderNames([{ ...openai, identity: 'aws' }]), [
    'authorization',
    'x-amz-date',
    'x-amz-security-token',
  ]);
  const source = { kind: 'aws-profile', profile: 'p' } as const;
  t.equal(credentialHeader(openai, { ...credential, source }), null, 'what makes a token is never sent itself');
});

t.test('trap 39: request headers are an allow-list, and accept-encoding is not on it', async (t) => {
  const kept = [
    ':path',
    ':authority',
    'content-type',
    'content-length',
    'accept',
    'user-agent',
    'idempotency-key',
    'openai-beta',
  ];
  const dropped = [
    'authorization',
    'x-api-key',
    'cookie',
    'x-tollgate-metadata',
    'x-envoy-max-retries',
    'accept-encoding',
    'te',
  ];
  t.same([...kept, ...dropped].filter(isForProviders), kept);
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (name) => {
      return name.startsWith(':') || !isForProviders(name) || /^[a-z-]+$/.test(name);
    }),
  );
});

t.test('response headers', async (t) => {
  const removed = responseHeadersToRemove(
    [
      [':status', '200'],
      ['content-type', 'text/event-stream'],
      ['openai-processing-ms', '12'],
      ['retry-after', '3'],
      ['set-cookie', 'a=b'],
      ['connection', 'keep-alive, X-Hop, content-length'],
      ['x-hop', '1'],
      ['x-echo', 'you sent sk-upstream-1 to us'],
      ['x-envoy-upstream-service-time', '5'],
      ['x-tollgate-cost-usd', '0'],
      ['x-empty', ''],
    ],
    ['sk-upstream-1', 'not-there'],
  );
  t.same([...removed].sort(), [
    'connection',
    'keep-alive',
    'set-cookie',
    'x-echo',
    'x-envoy-upstream-service-time',
    'x-hop',
    'x-tollgate-cost-usd',
  ]);
  t.same(responseHeadersToRemove([['x-a', 'b']], []), []);
  t.same(responseHeadersToRemove([['x-a', 'b']], ['']), []);
});
