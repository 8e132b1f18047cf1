import { createHmac } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type AlertEvent, type LimitThreshold, noticeOf } from '../../../src/accounting/alerts/alert-event.js';
import { type AlertOptions, createAlerts } from '../../../src/accounting/alerts/create-alerts.js';
import { EstimatedRatio } from '../../../src/accounting/alerts/estimated-ratio.js';
import { LastingTrouble } from '../../../src/accounting/alerts/lasting-trouble.js';
import { backoffMs, retryAfterMs } from '../../../src/accounting/retry-after.js';
import { Secret } from '../../../src/observability/secret.js';
import { startReceiver } from '../export/receiver.js';
import { temporaryDirectory } from '../samples.js';

const NOW = Date.UTC(2026, 10, 21, 12, 5);
const SECRET = 'a-secret-of-the-receiver';
const HOUR = 3_600_000;

const threshold: LimitThreshold = {
  kind: 'limit_threshold',
  limit: 'search-budget',
  of: 'cost',
  partition: ['web'],
  share: 0.8,
  used: 401_250_000_000n,
  max: 500_000_000_000n,
  resetsAt: Date.UTC(2026, 11, 1),
  place: 'search-budget|cost|month|key.id=web@2026-11',
};

const EVENTS: readonly AlertEvent[] = [
  threshold,
  { kind: 'unpriced_model', target: 'local/x' },
  { kind: 'estimated_ratio', share: 0.125, requests: 80 },
  { kind: 'limit_store_down' },
  { kind: 'limit_store_up' },
  { kind: 'provider_auth', provider: 'openai' },
  { kind: 'ledger_unwritable' },
  { kind: 'ledger_writable' },
];

async function setUp(t: Test, changes: Partial<AlertOptions> = {}) {
  const clock = { now: NOW };
  const receiver = await startReceiver(t);
  const problems: string[] = [];
  const outcomes: string[] = [];
  const statePath = join(temporaryDirectory(t), 'alerts.json');
  const options: AlertOptions = {
    settings: () => ({ webhook: receiver.url, secret: new Secret(SECRET), estimatedRatio: 0.1 }),
    now: () => clock.now,
    random: Math.random,
    fetch,
    onProblem: (message) => problems.push(message),
    onOutcome: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
    statePath,
    timing: { firstMs: 2, mostMs: 10, timeoutMs: 30_000 },
    ...changes,
  };
  const make = (more: Partial<AlertOptions> = {}) => {
    const alerts = createAlerts({ ...options, ...more });
    t.teardown(() => alerts.close());
    return alerts;
  };
  const bodies = () => receiver.requests.map(({ body }) => JSON.parse(body));
  return { clock, receiver, problems, outcomes, statePath, make, bodies };
}

t.test('what is said', async (t) => {
  const texts = EVENTS.map((event) => noticeOf(event, NOW).text);
  t.same(texts, [
    'Limit search-budget (web) is at 80 %: $401.25 of $500.00; resets 2026-12-01T00:00:00.000Z.',
    'No price is known for local/x: its requests are counted without a cost.',
    'The usage of 12.5 % of 80 requests in the last hour is an estimate.',
    'The store of the limits does not answer: hard limits refuse requests, soft ones are shared out.',
    'The store of the limits answers again.',
    'Provider openai refuses its credential.',
    'The ledger cannot be written: new requests are refused.',
    'The ledger can be written again.',
  ]);
  const total = noticeOf(
    { ...threshold, of: 'tokens', partition: [], share: 1, used: 7n, max: 7n, resetsAt: null },
    NOW,
  );
  t.equal(total.text, 'Limit search-budget is at 100 %: 7 tokens of 7 tokens.');
  t.same(total.details['resets_at'], null);
  for (const event of EVENTS) t.ok(noticeOf(event, NOW).until > NOW);
});

t.test('each is sent once per window, signed', async (t) => {
  const { clock, receiver, outcomes, make, bodies } = await setUp(t);
  const alerts = make();
  for (const event of [...EVENTS, ...EVENTS]) alerts.raise(event);
  await receiver.until(() => receiver.requests.length === EVENTS.length && alerts.backlog().waiting === 0);
  t.match(bodies()[0], {
    id: /^[0-9a-f]{32}$/,
    kind: 'limit_threshold',
    time: '2026-11-21T12:05:00.000Z',
    text: /^Limit search-budget/,
    details: { limit: 'search-budget', used: '401250000000', max: '500000000000', partition: ['web'], share: 0.8 },
  });
  t.equal(new Set(bodies().map(({ id }) => id)).size, EVENTS.length);
  for (const { headers, body } of receiver.requests) {
    const mac = createHmac('sha256', SECRET)
      .update(`${NOW / 1000}.${body}`)
      .digest('hex');
    t.equal(headers['x-tollgate-signature'], `t=${NOW / 1000},v1=${mac}`);
    t.equal(headers['content-type'], 'application/json');
  }
  alerts.raise({ ...threshold, share: 1 });
  alerts.raise({ ...threshold, place: 'search-budget|cost|month|key.id=other@2026-11' });
  alerts.raise({ kind: 'provider_auth', provider: 'anthropic' });
  clock.now += HOUR;
  alerts.raise({ kind: 'provider_auth', provider: 'openai' });
  alerts.raise({ kind: 'unpriced_model', target: 'local/x' });
  await receiver.until(() => receiver.requests.length === EVENTS.length + 4 && alerts.backlog().waiting === 0);
  t.same(
    bodies()
      .slice(EVENTS.length)
      .map(({ kind, subject }) => `${kind} ${subject}`),
    [
      'limit_threshold search-budget 100 %',
      'limit_threshold search-budget 80 %',
      'provider_auth anthropic',
      'provider_auth openai',
    ],
  );
  t.equal(outcomes.filter((outcome) => outcome.endsWith(' sent')).length, EVENTS.length + 4);
  t.same(alerts.backlog(), { waiting: 0, oldest_ms: 0, lost: 0, last_error: null });
});

t.test('without a secret, without a webhook', async (t) => {
  const { receiver, make } = await setUp(t);
  make({ settings: () => null }).raise(threshold);
  make({ settings: () => ({ webhook: receiver.url, secret: null, estimatedRatio: null }) }).raise(threshold);
  await receiver.until(() => receiver.requests.length === 1);
  t.notOk('x-tollgate-signature' in (receiver.requests[0]?.headers ?? {}));
});

t.test('tried again, with back-off; over a restart; told once all the same', async (t) => {
  const { receiver, problems, statePath, make, bodies } = await setUp(t);
  const answers = [{ status: 500 }, { status: 429, headers: { 'retry-after': '0' } }, 'reset', 'hang'] as const;
  receiver.behave = () => answers[receiver.requests.length - 1] ?? { status: 503 };
  const first = make({ timing: { firstMs: 2, mostMs: 10, timeoutMs: 300 } });
  first.raise(threshold);
  await receiver.until(() => receiver.requests.length > 5);
  t.match(first.backlog(), { waiting: 1, lost: 0, last_error: 'answered 503' });
  t.same(problems, ['alerts cannot be sent, it is tried again: answered 500'], 'told once');
  await first.close();
  t.ok(existsSync(statePath));
  receiver.behave = () => 'ok';
  const before = receiver.requests.length;
  const second = make();
  await receiver.until(() => receiver.requests.length === before + 1 && second.backlog().waiting === 0);
  second.raise(threshold);
  second.raise({ kind: 'unpriced_model', target: 'x/y' });
  await receiver.until(() => second.backlog().waiting === 0 && receiver.requests.length === before + 2);
  await second.close();
  const third = make();
  third.raise(threshold);
  third.raise({ kind: 'provider_auth', provider: 'p' });
  await receiver.until(() => receiver.requests.length === before + 3);
  t.same(
    bodies()
      .slice(before)
      .map(({ kind }) => kind),
    ['limit_threshold', 'unpriced_model', 'provider_auth'],
  );
  t.equal(
    new Set(
      bodies()
        .slice(0, before + 1)
        .map(({ id }) => id),
    ).size,
    1,
    'the same id at each try',
  );
});

t.test('given up: after an hour, or when it is refused for good; the queue is bounded', async (t) => {
  const { clock, receiver, outcomes, make } = await setUp(t);
  receiver.behave = () => ({ status: 500 });
  const alerts = make();
  alerts.raise(threshold);
  await receiver.until(() => receiver.requests.length > 1);
  clock.now += HOUR;
  await receiver.until(() => alerts.backlog().lost === 1);
  receiver.behave = () => ({ status: 400 });
  alerts.raise({ kind: 'unpriced_model', target: 'x/y' });
  await receiver.until(() => alerts.backlog().lost === 2);
  t.same(
    outcomes.filter((outcome) => outcome.endsWith('lost')),
    ['limit_threshold lost', 'unpriced_model lost'],
  );
  receiver.behave = () => 'hang';
  for (let number = 0; number < 1_010; number += 1) alerts.raise({ kind: 'unpriced_model', target: `x/${number}` });
  t.match(alerts.backlog(), { waiting: 1_000, lost: 12 });
});

t.test('nothing throws', async (t) => {
  const { statePath, make, problems } = await setUp(t);
  writeFileSync(statePath, '{"told": 7, "waiting"');
  const broken = make({
    settings: () => {
      throw new Error('no settings');
    },
  });
  broken.raise(threshold);
  t.same(problems, ['alert limit_threshold could not be raised']);
  const nowhere = make({ statePath: '/dev/null/alerts.json', fetch: () => Promise.reject(new Error('no network')) });
  nowhere.raise(threshold);
  nowhere.raise({ ...threshold, resetsAt: Number.NaN });
  await nowhere.close();
  t.match(problems.join('\n'), /alerts: state not written/);
});

t.test('requests: unknown prices and too many estimates', async (t) => {
  const { receiver, make, bodies } = await setUp(t);
  const alerts = make();
  const entry = { usage_source: 'provider', cost_nano_usd: 1, target: 'openai/gpt-5' } as const;
  for (let number = 0; number < 18; number += 1) alerts.requestFinished(entry);
  alerts.requestFinished({ usage_source: null, cost_nano_usd: null, target: 'x/refused' });
  alerts.requestFinished({ ...entry, usage_source: 'estimated' });
  alerts.requestFinished({ ...entry, usage_source: 'mixed' });
  t.equal(alerts.backlog().waiting, 0, '2 of 20 is not above 10 %');
  alerts.requestFinished({ ...entry, usage_source: 'estimated', cost_nano_usd: null });
  alerts.requestFinished({ ...entry, usage_source: 'estimated' });
  await receiver.until(() => receiver.requests.length === 2);
  t.match(bodies(), [
    { kind: 'unpriced_model', details: { target: 'openai/gpt-5' } },
    { kind: 'estimated_ratio', details: { requests: 21 } },
  ]);
});

t.test('the ratio is that of the last hour', async (t) => {
  const steps = fc.array(fc.record({ minutes: fc.integer({ min: 0, max: 25 }), estimated: fc.boolean() }), {
    maxLength: 120,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const ratio = new EstimatedRatio();
      const seen: { minute: number; estimated: boolean }[] = [];
      let minute = Math.floor(NOW / 60_000);
      for (const { minutes, estimated } of list) {
        if (minutes > 20) minute += minutes * 3;
        else if (minutes > 15) minute += 1;
        seen.push({ minute, estimated });
        const last = seen.filter((one) => one.minute > minute - 60);
        const expected = { share: last.filter((one) => one.estimated).length / last.length, requests: last.length };
        t.same(ratio.add(estimated, minute * 60_000 + 59_999), last.length < 20 ? null : expected);
      }
    }),
  );
});

t.test('a trouble that comes and goes', async (t) => {
  const told: boolean[] = [];
  let mayTell = true;
  const trouble = new LastingTrouble((isBad) => {
    if (!mayTell) return 1;
    told.push(isBad);
    return null;
  });
  trouble.set(false);
  t.same(told, [], 'it was never bad');
  trouble.set(true);
  trouble.set(true);
  trouble.set(false);
  mayTell = false;
  trouble.set(true);
  trouble.set(false);
  trouble.set(true);
  t.same(told, [true, false]);
  mayTell = true;
  // Its own timer keeps nothing alive.
  const alive = setInterval(() => undefined, 1_000);
  while (told.length < 3) await new Promise((resolve) => setImmediate(resolve));
  clearInterval(alive);
  t.same(told, [true, false, true], 'what it came to');
  trouble.stop();
});

t.test('waits between tries', async (t) => {
  t.equal(retryAfterMs('7', NOW), 7_000);
  t.equal(retryAfterMs(new Date(NOW + 9_000).toUTCString(), NOW), 9_000);
  t.equal(retryAfterMs(new Date(NOW - 9_000).toUTCString(), NOW), 0);
  t.equal(retryAfterMs('999999', NOW), HOUR);
  t.equal(retryAfterMs('soon', NOW), null);
  t.equal(retryAfterMs(null, NOW), null);
  const waits = [1, 2, 3, 10, 2000].map((failures) => backoffMs(failures, { firstMs: 100, mostMs: 5_000 }, () => 1));
  t.same(waits, [100, 200, 400, 5_000, 5_000]);
  t.equal(
    backoffMs(1, { firstMs: 100, mostMs: 5_000 }, () => 0),
    50,
  );
});
