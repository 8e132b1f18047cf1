import t from 'tap';
import type { LimitRule } from '../../../src/config/limit-rules.js';
import { LimiterUnderTest } from './limiter-under-test.js';
import { bound, dollars, limitRule, MONTH, TOTAL } from './sample-limits.js';

const HALF_DAY = { kind: 'duration', ms: 43_200_000 } as const;

/** Asked for the second time with `first` still running. */
const REFUSALS: readonly {
  readonly name: string;
  readonly rule: Partial<LimitRule>;
  readonly first: { readonly tokens?: number; readonly cost?: number } | null;
  readonly second: { readonly tokens?: number; readonly cost?: number };
  readonly expected: {
    readonly code: string;
    readonly message: string;
    readonly retry: Readonly<Record<string, string>>;
  };
}[] = [
  {
    name: 'requests',
    rule: { requests: bound(1) },
    first: {},
    second: {},
    expected: {
      code: 'rate_limit_exceeded',
      message:
        'Limit "x" allows 1 request per 1m: 0 used, 1 held by running requests. It resets at 2026-03-01T00:02:00.000Z.',
      retry: { 'retry-after': '60' },
    },
  },
  {
    name: 'tokens',
    rule: { tokens: { ...bound(100, HALF_DAY), of: 'total' } },
    first: { tokens: 60 },
    second: { tokens: 41 },
    expected: {
      code: 'rate_limit_exceeded',
      message:
        'Limit "x" allows 100 tokens per 12h: 0 used, 60 held by running requests, and this request may need 41. It resets at 2026-03-01T12:00:00.000Z.',
      retry: { 'retry-after': '43140' },
    },
  },
  {
    name: 'more tokens than the limit has',
    rule: { tokens: { ...bound(100), of: 'total' } },
    first: null,
    second: { tokens: 101 },
    expected: {
      code: 'rate_limit_exceeded',
      message:
        'Limit "x" allows 100 tokens per 1m: this request alone may need 101 tokens. Send less input or ask for fewer output tokens.',
      retry: { 'x-should-retry': 'false' },
    },
  },
  {
    name: 'cost',
    rule: { cost: bound(dollars(5), MONTH) },
    first: { cost: 4_950_000_000 },
    second: { cost: 50_000_001 },
    expected: {
      code: 'insufficient_quota',
      message:
        'Limit "x" allows $5.00 per month: $0.00 used, $4.95 held by running requests, and this request may need $0.050000001. It resets at 2026-04-01T00:00:00.000Z.',
      retry: { 'x-should-retry': 'false' },
    },
  },
  {
    name: 'cost in all, of one request',
    rule: { cost: bound(dollars(1), TOTAL) },
    first: null,
    second: { cost: 1_500_000_000 },
    expected: {
      code: 'insufficient_quota',
      message:
        'Limit "x" allows $1.00 in all: this request alone may need $1.50. Send less input or ask for fewer output tokens.',
      retry: { 'x-should-retry': 'false' },
    },
  },
  {
    name: 'requests in all',
    rule: { requests: bound(1, TOTAL) },
    first: {},
    second: {},
    expected: {
      code: 'insufficient_quota',
      message: 'Limit "x" allows 1 request in all: 0 used, 1 held by running requests. It does not reset.',
      retry: { 'x-should-retry': 'false' },
    },
  },
  {
    name: 'no requests at all',
    rule: { requests: bound(0) },
    first: null,
    second: {},
    expected: {
      code: 'rate_limit_exceeded',
      message: 'Limit "x" allows 0 requests per 1m.',
      retry: { 'x-should-retry': 'false' },
    },
  },
  {
    name: 'concurrency',
    rule: { concurrent: 1 },
    first: {},
    second: {},
    expected: {
      code: 'concurrency_limit_exceeded',
      message: 'Limit "x" allows 1 request at a time: 1 is running.',
      retry: { 'retry-after': '1' },
    },
  },
];

t.test('what a refusal says', async (t) => {
  for (const { name, rule, first, second, expected } of REFUSALS) {
    const under = new LimiterUnderTest([limitRule('x', rule)]);
    if (first !== null) under.held({ amounts: first });
    const refusal = under.refused({ amounts: second });
    t.equal(refusal.code, expected.code, name);
    t.equal(refusal.message, expected.message, name);
    t.equal(refusal.limit, 'x', name);
    const retry = Object.entries(refusal.headers).filter(([header]) => !header.startsWith('x-ratelimit-'));
    t.same(Object.fromEntries(retry), expected.retry, name);
  }
});

t.test('a rolling window, and used beside held', async (t) => {
  const under = new LimiterUnderTest([limitRule('x', { tokens: { ...bound(100, HALF_DAY, true), of: 'output' } })]);
  under.settle(under.held({ amounts: { output_tokens: 90 } }), { output_tokens: 30 });
  under.held({ amounts: { output_tokens: 60 } });
  t.match(
    under.refused({ amounts: { output_tokens: 20 } }).message,
    'Limit "x" allows 100 output tokens in any 12h: 30 used, 60 held by running requests, and this request may need 20. ',
  );
});

t.test('of several exceeded limits the one that resets last is told', async (t) => {
  const rules = [
    limitRule('running', { concurrent: 1 }),
    limitRule('minute', { requests: bound(1) }),
    limitRule('half a day', { requests: bound(1, HALF_DAY) }),
    limitRule('wide', { requests: bound(5) }),
  ];
  const under = new LimiterUnderTest(rules);
  const held = under.held();
  t.equal(under.refused().limit, 'half a day');
  under.settle(held);
  under.now += 43_200_000;
  under.held();
  under.now += 60_000;
  t.equal(under.refused().limit, 'half a day');
  const huge = limitRule('huge', { tokens: { ...bound(10), of: 'total' } });
  const late = new LimiterUnderTest([limitRule('half a day', { requests: bound(1, HALF_DAY) }), huge]);
  late.held();
  t.equal(late.refused({ amounts: { tokens: 11 } }).limit, 'huge', 'what never fits never resets');
  const minute = new LimiterUnderTest(rules.slice(0, 2));
  minute.held();
  t.equal(minute.refused().limit, 'minute');
  const two = new LimiterUnderTest([...rules.slice(0, 2), limitRule('ever', { requests: bound(1, TOTAL) })]);
  two.held();
  t.equal(two.refused().limit, 'ever');
});

t.test('headers', async (t) => {
  const tokens = (max: number) => ({ ...bound(max, { kind: 'duration', ms: 10_000 }), of: 'input' as const });
  const under = new LimiterUnderTest([
    limitRule('wide', { requests: bound(100), tokens: tokens(1000) }),
    limitRule('tight', { requests: bound(10, HALF_DAY) }),
    limitRule('wider', { requests: bound(1000) }),
    limitRule('watching', { requests: bound(1), action: { kind: 'shadow' } }),
    limitRule('dollars', { cost: bound(1) }),
  ]);
  const amounts = { input_tokens: 300 };
  t.same(under.held({ amounts }).headers, [
    ['x-ratelimit-limit-requests', '10'],
    ['x-ratelimit-remaining-requests', '9'],
    ['x-ratelimit-reset-requests', '11h59m0s'],
    ['x-ratelimit-limit-tokens', '1000'],
    ['x-ratelimit-remaining-tokens', '700'],
    ['x-ratelimit-reset-tokens', '10s'],
  ]);
  under.now += 1_360;
  under.held({ amounts });
  const last = under.held({ amounts });
  t.same(last.headers.slice(4), [
    ['x-ratelimit-remaining-tokens', '100'],
    ['x-ratelimit-reset-tokens', '8.64s'],
  ]);
  under.settle(last, { input_tokens: 5000 });
  const { headers } = under.refused({ amounts });
  t.equal(headers['x-ratelimit-remaining-tokens'], '0', 'never negative');
  t.equal(headers['x-ratelimit-remaining-requests'], '7', 'a refused request takes nothing');
  t.equal(headers['retry-after'], '9');
  const total = new LimiterUnderTest([limitRule('x', { requests: bound(5, TOTAL) })]);
  t.same(total.held().headers, [
    ['x-ratelimit-limit-requests', '5'],
    ['x-ratelimit-remaining-requests', '4'],
  ]);
  t.same(new LimiterUnderTest([limitRule('x', { concurrent: 1 })]).held().headers, []);
});
