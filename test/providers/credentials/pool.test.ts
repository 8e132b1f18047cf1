import fc from 'fast-check';
import t from 'tap';
import type { ProviderAccount } from '../../../src/config/snapshot.js';
import { GatewayError } from '../../../src/dialects/error.js';
import type { CredentialPool } from '../../../src/providers/credentials/credential-pool.js';
import { account, call, createTestPool, credential } from './sample-parts.js';

function keys(...weights: readonly number[]): ProviderAccount {
  return account({ credentials: weights.map((weight, at) => credential(`key-${at}`, undefined, weight)) });
}

/** How often each credential is chosen in a hundred rotations. */
function shares(pool: CredentialPool, from: ProviderAccount): readonly number[] {
  const seen = from.credentials.map(() => 0);
  for (let rotation = 0; rotation < 100; rotation += 1) {
    const { index } = pool.authorise(from, call(rotation));
    seen[index] = (seen[index] ?? 0) + 1;
  }
  return seen;
}

t.test('keys', async (t) => {
  const { pool } = createTestPool().keeper;
  t.same(pool.authorise(account({}), call()), { headers: [], secrets: [], index: -1 }, 'needs none');
  t.same(pool.authorise(keys(1), call()), {
    headers: [{ name: 'authorization', value: 'Bearer key-0' }],
    secrets: ['key-0'],
    index: 0,
  });
  t.same(pool.authorise(account({ kind: 'azure', credentials: [credential('k')] }), call()).headers, [
    { name: 'api-key', value: 'k' },
  ]);
  const [most = 0, least = 0] = shares(pool, keys(3, 1));
  t.ok(most >= 73 && most <= 77 && least === 100 - most, `by weight: ${most}`);
  t.same(shares(pool, keys(0, 1, 0)), [0, 100, 0]);
});

t.test('a limited key lets others go first, for as long as the provider says', async (t) => {
  const { keeper, clock } = createTestPool();
  const { pool } = keeper;
  const two = keys(1, 1);
  t.ok(pool.hasOther(two, 0));
  pool.refused(two, 0, { reason: 'limited', cooldownMs: 7000 });
  t.same(shares(pool, two), [0, 100]);
  t.notOk(pool.hasOther(two, 1));
  t.ok(pool.hasOther(two, 0));
  pool.refused(two, 1, { reason: 'limited', cooldownMs: null });
  t.notOk(pool.hasOther(two, 0));
  t.same(shares(pool, two), [0, 100], 'both are cooling: the one whose time is over first');
  clock.turn(4999);
  t.same(shares(pool, two), [0, 100]);
  clock.turn(1);
  t.same(shares(pool, two), [0, 100], '5 s where the provider says nothing');
  t.ok(pool.hasOther(two, 0));
  clock.turn(2000);
  t.not(shares(pool, two)[0], 0);
  pool.refused(two, -1, { reason: 'auth', cooldownMs: null });
  pool.refused(two, 2, { reason: 'auth', cooldownMs: null });
  t.ok(pool.hasOther(two, 0) && pool.hasOther(two, 1), 'a call without a credential of ours changes nothing');
  pool.refused(keys(1), 0, { reason: 'auth', cooldownMs: null });
  t.equal(pool.authorise(keys(1), call()).index, 0, 'an only key is always used');
  t.notOk(pool.hasOther(keys(1), 0));
  t.notOk(pool.hasOther(keys(1, 1), -1), 'nothing stands in for a key of the app');
  const spare = keys(1, 0);
  pool.refused(spare, 0, { reason: 'limited', cooldownMs: null });
  t.notOk(pool.hasOther(spare, 0), 'a weight of 0 is not used');
  t.equal(pool.authorise(spare, call()).index, 0);
});

t.test('a refused key stays out a minute, longer each time, and is forgiven', async (t) => {
  const { keeper, clock } = createTestPool();
  const { pool } = keeper;
  const two = keys(1, 1);
  const refuse = () => pool.refused(two, 0, { reason: 'auth', cooldownMs: null });
  /** Seconds until the first key is used again. */
  const out = () => {
    let seconds = 0;
    for (; shares(pool, two)[0] === 0; seconds += 1) clock.turn(1000);
    return seconds;
  };
  refuse();
  refuse();
  t.equal(out(), 60, 'answers that were on their way count once');
  refuse();
  t.equal(out(), 120);
  for (let times = 0; times < 8; times += 1) {
    refuse();
    out();
  }
  refuse();
  t.equal(out(), 3600, 'an hour at most');
  clock.turn(3_600_000);
  refuse();
  t.equal(out(), 60, 'forgotten');
});

t.test('whatever limits there are, a fit key is chosen, else the one that is fit first', async (t) => {
  const step = fc.record({
    index: fc.nat({ max: 3 }),
    cooldownMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: null }),
    waitMs: fc.integer({ min: 0, max: 20_000 }),
    rotation: fc.integer(),
  });
  const weights = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(weights, fc.array(step, { maxLength: 30 }), (given, steps) => {
      const { keeper, clock } = createTestPool();
      const from = keys(...given);
      const until = given.map(() => 0);
      const used = given.flatMap((weight, at) => (weight > 0 || given.every((other) => other === 0) ? [at] : []));
      return steps.every(({ index, cooldownMs, waitMs, rotation }) => {
        keeper.pool.refused(from, index, { reason: 'limited', cooldownMs });
        if (index < given.length) until[index] = Math.max(until[index] ?? 0, clock.now + (cooldownMs ?? 5000));
        clock.turn(waitMs);
        const fit = used.filter((at) => (until[at] ?? 0) <= clock.now);
        const soonest = Math.min(...used.map((at) => until[at] ?? 0));
        const chosen = keeper.pool.authorise(from, call(rotation)).index;
        const isRight = fit.length > 0 ? fit.includes(chosen) : used.includes(chosen) && until[chosen] === soonest;
        const others = fit.filter((at) => at !== chosen).length > 0;
        return (isRight || given.length === 1) && keeper.pool.hasOther(from, chosen) === others;
      });
    }),
  );
  t.pass('every history');
});

/** A source that answers with `life` seconds each time it is asked, or fails. */
function tokens(lives: (number | 'fails')[]) {
  let asked = 0;
  const fetch = async (): Promise<Response> => {
    const life = lives[Math.min(asked, lives.length - 1)];
    asked += 1;
    if (life === 'fails')
      return Response.json({ error: 'invalid_client', error_description: 'no such app' }, { status: 401 });
    return Response.json({ access_token: `token-${asked}`, expires_in: life });
  };
  return { fetch, asked: () => asked };
}

const APP = account({
  name: 'az',
  kind: 'azure',
  credentials: [
    credential('client-secret-1', { kind: 'entra-secret', tenantId: 't', clientId: 'c', scope: 'https://a/.default' }),
  ],
});

t.test('a token is there before it is needed, and renewed before it ends', async (t) => {
  const source = tokens([3600]);
  const { keeper, clock, problems, settle } = createTestPool({ fetch: source.fetch });
  const token = () => keeper.pool.authorise(APP, call()).headers[0]?.value;
  keeper.use([APP]);
  t.throws(() => token(), GatewayError, 'not yet');
  await keeper.firstTries();
  t.same(keeper.pool.authorise(APP, call()), {
    headers: [{ name: 'authorization', value: 'Bearer token-1' }],
    secrets: ['token-1'],
    index: 0,
  });
  t.equal(source.asked(), 1, 'asked once, though two asked for it');
  await settle();
  t.same(clock.waits, [2_880_000], 'at 80 % of an hour');
  clock.turn(2_880_000);
  t.equal(token(), 'Bearer token-1', 'the old one is used while the new one is fetched');
  await settle();
  t.equal(token(), 'Bearer token-2');
  t.same(problems, []);
  keeper.stop();
  t.same(clock.waits, []);
  t.equal(token(), 'Bearer token-2', 'what is held can still be used');
});

t.test('when a renewal is due', async (t) => {
  const cases: readonly [number | undefined, number, number][] = [
    [86_400, 0, 12 * 3_600_000],
    [3600, 0.999999, 2_880_000 * 0.9],
    [600, 0, 300_000],
    [240, 0, 192_000],
    [1, 0, 1000],
    [undefined, 0, 60_000],
  ];
  for (const [life, random, wait] of cases) {
    const { keeper, clock, settle } = createTestPool({
      fetch: async () => Response.json({ access_token: 'a', ...(life === undefined ? {} : { expires_in: life }) }),
      random: () => random,
    });
    keeper.use([APP]);
    await keeper.firstTries();
    await settle();
    t.equal(Math.round((clock.waits[0] ?? 0) / 100), Math.round(wait / 100), `${life} s`);
    keeper.stop();
  }
});

t.test('failures: told, tried again with pauses, and the old token used to its end', async (t) => {
  const source = tokens([600, 'fails', 'fails', 'fails', 'fails', 'fails', 'fails', 'fails', 'fails', 300]);
  const { keeper, clock, problems, settle } = createTestPool({ fetch: source.fetch, random: () => 1 - Number.EPSILON });
  keeper.use([APP]);
  await keeper.firstTries();
  await settle();
  const start = clock.now;
  const pauses: number[] = [];
  while (source.asked() < 9) {
    const [wait = 0] = clock.waits;
    pauses.push(Math.round(wait / 1000));
    clock.turn(wait);
    await settle();
    const isAlive = clock.now - start < 600_000;
    t.equal(works(), isAlive, `${clock.now - start} ms`);
  }
  t.same(pauses.slice(1), [1, 2, 4, 8, 16, 32, 60]);
  t.match(problems[0], 'az: login.microsoftonline.com answered 401: invalid_client: no such app');
  t.equal(problems.length, 8);
  clock.turn(600_000 - (clock.now - start) - 1);
  t.ok(works() || source.asked() > 9, 'to the last millisecond');
  await settle();
  clock.turn(60_000);
  await settle();
  t.ok(works(), 'well again');
  keeper.stop();

  function works(): boolean {
    try {
      return keeper.pool.authorise(APP, call()).headers.length === 1;
    } catch (error) {
      t.match(error, { code: 'provider_auth' });
      return false;
    }
  }
});

t.test('a token that was refused is replaced at once', async (t) => {
  const source = tokens([3600]);
  const { keeper, settle } = createTestPool({ fetch: source.fetch });
  keeper.use([APP]);
  await keeper.firstTries();
  for (let times = 0; times < 3; times += 1) keeper.pool.refused(APP, 0, { reason: 'auth', cooldownMs: null });
  keeper.pool.refused(APP, 0, { reason: 'limited', cooldownMs: null });
  await settle();
  t.equal(source.asked(), 2, 'once, and not for a limit');
  t.equal(keeper.pool.authorise(APP, call()).headers[0]?.value, 'Bearer token-2');
  keeper.stop();
});

t.test('a token that is not there does not stand in the way of a key', async (t) => {
  const { keeper } = createTestPool({ fetch: tokens(['fails']).fetch });
  const both = account({ kind: 'azure', credentials: [...APP.credentials, credential('k')] });
  keeper.use([both]);
  t.same(shares(keeper.pool, both), [0, 100]);
  t.notOk(keeper.pool.hasOther(both, 1));
  await keeper.firstTries();
  t.same(shares(keeper.pool, both), [0, 100]);
  keeper.stop();
});

t.test('a reload keeps what is known, and lets go what is gone', async (t) => {
  const source = tokens([3600]);
  const { keeper, clock, settle } = createTestPool({ fetch: source.fetch });
  const first = account({ ...APP, credentials: [...APP.credentials, credential('k')] });
  keeper.use([first]);
  await keeper.firstTries();
  await settle();
  keeper.pool.refused(first, 1, { reason: 'limited', cooldownMs: null });
  const again = account({ ...first, credentials: [...first.credentials] });
  keeper.use([again]);
  t.equal(source.asked(), 1);
  t.notOk(keeper.pool.hasOther(again, 0), 'the key is still cooling');
  const rotated = account({ ...again, credentials: [...APP.credentials, credential('k-new')] });
  keeper.use([rotated]);
  t.ok(keeper.pool.hasOther(rotated, 0), 'another key is another');
  keeper.use([account({ credentials: [credential('k')] })]);
  t.same(clock.waits, [], 'nothing is renewed any more');
  t.match(keeper.pool.authorise(first, call(0)).headers, [{ value: /Bearer token-1|k/ }], 'older requests go on');
  const twice = account({ credentials: [credential('same'), credential('same')] });
  keeper.pool.refused(twice, 0, { reason: 'limited', cooldownMs: null });
  t.ok(keeper.pool.hasOther(twice, 0), 'the same key twice is two');
  t.equal(keeper.pool.authorise(twice, call()).index, 1);
});
