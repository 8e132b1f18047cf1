import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import { decimalOf, formatDollars, nanoDollars, parseDecimal, shiftDecimal } from '../../src/config/decimal.js';
import { effectiveConfig } from '../../src/config/effective.js';
import { keepFixed, restartNeeded } from '../../src/config/fixed-settings.js';
import { pathText } from '../../src/config/problem.js';
import { NO_RULES } from '../sample-rules.js';
import { load, loaded, problemsAfter } from './surroundings.js';

const MOCK = 'providers: { mock: { kind: mock } }\nmodels: { fast: { targets: [mock/a] } }\n';

t.test('decimals', async (t) => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['500', '500'],
    ['007.50', '7.5'],
    ['0.0', '0'],
    ['1.', null],
    ['.5', null],
    ['-1', null],
    ['1e3', null],
    ['', null],
    ['1'.repeat(41), null],
  ];
  for (const [text, expected] of cases) t.equal(parseDecimal(text), expected, text);
  t.same([0.1, 500, 1e-7, 1e21, 1.1e-9].map(decimalOf), [
    '0.1',
    '500',
    '0.0000001',
    '1000000000000000000000',
    '0.0000000011',
  ]);
  t.same([0.1234567890123456, 2 ** 60, -1, Number.NaN, Number.POSITIVE_INFINITY].map(decimalOf), [
    null,
    null,
    null,
    null,
    null,
  ]);
  t.equal(nanoDollars('0.0000000001'), null);
  t.equal(nanoDollars('500.25'), 500_250_000_000n);
  const amounts = fc.bigInt({ min: 0n, max: 10n ** 20n });
  fc.assert(fc.property(amounts, (nano) => nanoDollars(formatDollars(nano)) === nano));
  const places = fc.integer({ min: -20, max: 20 });
  fc.assert(
    fc.property(
      amounts,
      places,
      (amount, by) => shiftDecimal(shiftDecimal(String(amount), by), -by) === String(amount),
    ),
  );
});

t.test('nothing said, nothing ruled', async (t) => {
  const snapshot = loaded(MOCK);
  for (const [name, value] of Object.entries(NO_RULES)) t.same(snapshot[name as keyof typeof NO_RULES], value, name);
  t.equal(snapshot.defaults.outputCap, 4096);
  t.equal(snapshot.models.get('fast')?.outputCap, 4096);
});

t.test('limits', async (t) => {
  const snapshot = loaded(`${MOCK}limits:
  - { name: a, cost: { max: 0.1, window: month }, alert_at: [1.0, "80%"], when: 'key.labels.team == "x"' }
  - { name: b, per: [key.id, 'request.headers["X-A"]'], requests: { max: 60, window: 90s, sliding: true }, tokens: { max: 5, window: total, of: input }, concurrent: 3, action: { use: fast }, hard: false }
routes: [{ when: 'request.tools', model: fast }, { model: mock/any }]`);
  const [first, second] = snapshot.limits;
  t.match(first, { name: 'a', per: [], requests: null, tokens: null, concurrent: null, alertAt: [0.8, 1], hard: true });
  t.same(first?.cost, { max: 100_000_000n, window: { kind: 'calendar', unit: 'month' }, sliding: false });
  t.same(first?.action, { kind: 'reject' });
  t.same(first?.when?.equalities, [['key.labels.team', 'x']]);
  t.same(second?.per, [{ kind: 'key.id' }, { kind: 'request.headers', name: 'x-a' }]);
  t.same(second?.requests, { max: 60n, window: { kind: 'duration', ms: 90_000 }, sliding: true });
  t.same(second?.tokens, { max: 5n, window: { kind: 'total' }, sliding: false, of: 'input' });
  t.match(second, { when: null, cost: null, concurrent: 3, action: { kind: 'use', model: 'fast' }, hard: false });
  t.match(snapshot.routes, [
    { name: '0', model: 'fast' },
    { name: '1', model: 'mock/any', when: null },
  ]);
  for (const value of [snapshot.limits, first, first?.when, second?.per[1]]) t.ok(Object.isFrozen(value));
});

t.test('every value is part of the version', async (t) => {
  const texts = [
    'max: 1, window: day',
    'max: 2, window: day',
    'max: 1, window: week',
    'max: 1, window: 1d',
    'max: 1, window: 1d, sliding: true',
  ];
  const limits = texts.flatMap((bound) => [`cost: { ${bound} }`, `tokens: { ${bound} }`]);
  const rules = [
    ...limits,
    ...['\'key.id == "a"\'', '\'key.id == "b"\''].map((when) => `concurrent: 1, when: ${when}`),
  ];
  const versions = rules.map((rule) => loaded(`${MOCK}limits: [{ name: a, ${rule} }]`).version);
  t.equal(new Set(versions).size, rules.length);
  const urls = ['redis://a', 'redis://b'].map((url) => loaded(`${MOCK}store: { kind: redis, url: "${url}" }`));
  t.not(urls[0]?.version, urls[1]?.version);
});

t.test('what is in effect can be loaded again', async (t) => {
  const directory = 'test/golden/config';
  let tried = 0;
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.golden'))) {
    const [text = ''] = readFileSync(join(directory, file), 'utf8').split('=====\n');
    const { snapshot } = load(text);
    // Hashes of keys are not shown in full, and secrets not at all.
    if (snapshot === null || /admin:|headers/.test(text)) continue;
    const shown = { ...effectiveConfig(snapshot), keys: [], records: {} };
    // The address of a store is not shown; several workers need one.
    const { kind } = snapshot.store;
    const effective = { ...shown, store: kind === 'memory' ? { kind } : { kind, url: 'redis://127.0.0.1' } };
    const again = loaded(stringify(effective));
    t.same({ ...effectiveConfig(again), keys: [], records: {}, store: effective.store }, { ...effective }, file);
    tried += 1;
  }
  t.ok(tried >= 2);
});

t.test('another store needs a restart', async (t) => {
  const before = loaded(MOCK);
  const after = loaded(`${MOCK}store: { kind: redis, url: "redis://localhost" }\nlimits: [{ name: a, concurrent: 1 }]`);
  t.same(
    restartNeeded(before, after).map(({ path }) => pathText(path)),
    ['store'],
  );
  const kept = keepFixed(before, after);
  t.same(kept.store, { kind: 'memory' });
  t.equal(kept.limits.length, 1, 'limits need none');
});

t.test('an exporter without billing, and one with', async (t) => {
  const text = `${MOCK}exporters: { a: { kind: webhook, url: "https://e.example.com/x?y=1" } }\n`;
  t.match(loaded(text).exporters, [
    { name: 'a', url: 'https://e.example.com/x?y=1', batch: 100, secret: null, customer: 'key' },
  ]);
  t.match(loaded(`${text}billing: { customer: key.labels.org }`).exporters, [{ customer: 'key.labels.org' }]);
});

t.test('one issuer of keys, or several', async (t) => {
  const one = loaded(`${MOCK}auth: { jwt: { issuer: "https://i.example.com/" } }`).jwt;
  t.match(one, [
    {
      issuer: 'https://i.example.com/',
      jwksUrl: 'https://i.example.com/.well-known/jwks.json',
      audience: null,
      id: 'sub',
    },
  ]);
  t.equal(
    loaded(`${MOCK}auth: { jwt: [{ issuer: "https://i.example.com" }, { issuer: "http://127.0.0.1:1" }] }`).jwt.length,
    2,
  );
});

t.test('a secret in a URL is in no message', async (t) => {
  const urls = [
    'store: { kind: redis, url: "redis://user:canary-pass-1@host", prefix: "redis://user:canary-pass-1@host" }',
    'alerts: { webhook: "https://h.example.com/canary-2", estimated_ratio: "https://h.example.com/canary-2" }',
    'exporters: { a: { kind: "https://h.example.com/canary-3", url: "https://h.example.com/canary-3" } }',
    'exporters: { a: { kind: lago, url: "https://u:canary-4@h.example.com" } }',
  ];
  for (const url of urls) {
    const { problems } = load(MOCK + url);
    t.ok(problems.length > 0, url);
    t.notMatch(problems.join('\n'), /canary/);
  }
});

t.test('a thousand limits', async (t) => {
  const limits = Array.from({ length: 1000 }, (_, index) => {
    return `  - { name: l${index}, when: 'key.labels.team == "t${index}" && request.input_tokens > ${index}', cost: { max: ${index + 1}, window: day } }`;
  });
  const { snapshot } = load(`${MOCK}limits:\n${limits.join('\n')}`);
  t.equal(snapshot?.limits.length, 1000);
});

const RULES = `${MOCK}routes: [{ when: 'limit.a.ratio > 0.5', model: fast }]
limits: [{ name: a, when: 'key.labels["x"] == "y"', per: [key.id], cost: { max: 0.5, window: day }, action: { use: fast }, alert_at: [80%] }]
billing: { plans: [{ name: p, labels: { a: b }, markup: 20%, prices: [{ model: "*", input: 1, output: "2" }] }] }
auth: { jwt: { issuer: https://i.example.com, audience: [a] } }
store: { kind: redis, url: "redis://h" }
retention: { records: 90d }
`;

t.test('small edits of rules never crash, and every problem has a place', async (t) => {
  const piece = fc.constantFrom(
    '',
    '\n',
    ' ',
    ':',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '-',
    '5',
    'null',
    '${',
    '(',
    '&&',
    '.',
    '%',
    'limit',
    '[]',
    '{}',
  );
  const edit = fc.record({ at: fc.nat(RULES.length), cut: fc.nat(12), piece });
  const property = fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
    problemsAfter(RULES, edits);
  });
  fc.assert(property, { numRuns: Number(process.env['FUZZ_RUNS'] ?? 500) });
  t.ok(loaded(RULES));
});
