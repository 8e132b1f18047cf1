import { isAbsolute } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parseAddress } from '../../src/config/address.js';
import { loadConfig } from '../../src/config/load.js';
import {
  formatDuration,
  formatShare,
  formatSize,
  parseDuration,
  parseShare,
  parseSize,
} from '../../src/config/quantity.js';
import { nearest } from '../../src/config/suggest.js';
import { load, loaded, problemsAfter, SECRETS, surroundings } from './surroundings.js';

const VALID = `# a comment
gateway: { listen: 127.0.0.1:0, body_limit: 1MiB }
providers:
  openai: { kind: openai, credentials: "\${OPENAI_API_KEY}" }
  local:
    kind: openai-compatible
    base_url: http://127.0.0.1:11434/v1
    credentials: [{ secret: "\${CI_KEY}", weight: 1 }, file:/run/secrets/key]
models:
  smart:
    targets: [openai/gpt-5, { model: local/llama }]
    retry: &retry { attempts: 3, first_token: 10s }
  other: { targets: [local/x], retry: *retry }
keys:
  - { id: web, secret: "\${WEB_KEY}", labels: { team: search }, models: [smart, "openai/*"], expires: 2027-01-01 }
  - { id: admin, secret: plain-literal-secret-1 }
prices:
  - { model: "local/*", input: 0, output: 0 }
time_zone: Europe/Berlin
`;

t.test('durations', async (t) => {
  const cases: [string, number | null][] = [
    ['100ms', 100],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['0', 0],
    ['10', null],
    ['', null],
    ['s', null],
    ['-5s', null],
    ['5 s', null],
    ['90d', 7_776_000_000],
    ['5w', null],
    ['1e3s', null],
  ];
  for (const [text, expected] of cases) t.equal(parseDuration(text), expected, text);
  fc.assert(fc.property(fc.nat(), (value) => parseDuration(formatDuration(value)) === value));
});

t.test('sizes', async (t) => {
  const cases: [string, number | null][] = [
    ['32MiB', 33_554_432],
    ['1.5KiB', 1536],
    ['10MB', 10_000_000],
    ['1024', 1024],
    ['7B', 7],
    ['32 MiB', null],
    ['32mib', null],
    ['-1', null],
    ['0.3B', null],
    ['constructor', null],
  ];
  for (const [text, expected] of cases) t.equal(parseSize(text), expected, text);
  fc.assert(fc.property(fc.nat(), (value) => parseSize(formatSize(value)) === value));
});

t.test('addresses', async (t) => {
  const cases: [string, object | null][] = [
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    [':8080', { host: '0.0.0.0', port: 8080 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['8080', null],
    ['host', null],
    ['host:', null],
    ['host:65536', null],
    ['::1:80', null],
    ['[host]:80', null],
    ['a b:80', null],
    ['http://h:80', null],
  ];
  for (const [text, expected] of cases) t.same(parseAddress(text), expected, text);
});

t.test('suggestions', async (t) => {
  t.equal(nearest('gatway', ['admin', 'gateway']), 'gateway');
  t.equal(nearest('frist', ['first', 'fist']), 'first');
  t.equal(nearest('OPENAI', ['openai']), 'openai');
  t.equal(nearest('completely', ['different']), null);
});

t.test('a snapshot', async (t) => {
  const snapshot = loaded(VALID);
  t.match(snapshot.version, /^[0-9a-f]{12}$/);
  t.equal(snapshot.path, '/etc/tollgate/tollgate.yaml');
  t.same(snapshot.gateway, {
    listen: { host: '127.0.0.1', port: 0 },
    bodyLimit: 1_048_576,
    modelsOnly: false,
    workers: 1,
    tls: null,
  });
  t.equal(snapshot.dataDirectory, '/etc/tollgate/data');
  const { on, ...clocks } = snapshot.defaults.retry;
  t.same(clocks, { attempts: null, responseMs: 300_000, firstTokenMs: 30_000, stallMs: 120_000, totalMs: 0 });
  t.same([...on.statuses], [429, ...Array.from({ length: 100 }, (_, index) => 500 + index)]);
  t.match(on, { connect: true, reset: true, timeout: true, firstToken: true, errorEvent: true, empty: true });
  t.match(on, { auth: true, contextLength: true, contentFilter: false });
  t.equal(snapshot.defaults.retryBudget, 0.2);
  t.same(snapshot.models.get('other')?.retry, { ...snapshot.defaults.retry, attempts: 3, firstTokenMs: 10_000 });
  const smart = snapshot.models.get('smart');
  t.same(smart?.targets[1], {
    name: 'local/llama',
    provider: 'local',
    model: 'llama',
    weight: 1,
    contextWindow: null,
    retry: smart?.retry,
  });
  t.match(smart, { balance: 'ordered', retryBudget: 0.2 });
  const credentials = snapshot.providers.get('local')?.credentials.map(({ secret }) => secret.reveal());
  t.same(credentials, [SECRETS.CI_KEY, SECRETS.FILE_KEY]);
  t.notMatch(JSON.stringify([snapshot, [...snapshot.providers]]), /canary/);
  for (const value of [snapshot, snapshot.gateway, snapshot.models.get('smart')?.targets, snapshot.keys[0]?.labels]) {
    t.ok(Object.isFrozen(value));
  }
  t.throws(() => (snapshot.providers as Map<string, unknown>).clear(), /cannot be changed/);
  t.throws(() => (on.statuses as Set<number>).add(418), /cannot be changed/);
});

t.test('failover', async (t) => {
  const model = (text: string) => loaded(`providers: { mock: { kind: mock } }\nmodels: { a: ${text} }`).models.get('a');
  const own =
    model(`{ balance: least_latency, retry_budget: off, retry: { on: [404, "503", auth], total: 1m, stall: 0 }, targets: [
    { model: mock/a, context_window: 200000, retry: { response: 10m, first_token: off, stall: 9s, on: [503, 404] } }, mock/b] }`);
  t.match(own, { balance: 'least_latency', retryBudget: null, retry: { totalMs: 60_000, stallMs: 0 } });
  t.same([...(own?.retry.on.statuses ?? [])], [404, 503]);
  t.match(own?.retry.on, { auth: true, connect: false, timeout: false });
  const [first, second] = own?.targets ?? [];
  t.match(first, { contextWindow: 200_000, retry: { responseMs: 600_000, firstTokenMs: null, stallMs: 9000 } });
  t.match(first?.retry, { totalMs: 60_000, on: { auth: false } }, 'the rest is the model’s');
  t.same([...(first?.retry.on.statuses ?? [])].sort(), [404, 503]);
  t.equal(second?.retry, own?.retry);
  const weighted = model(
    '{ balance: weighted, targets: [{ model: mock/a, weight: 80 }, { model: mock/b, weight: 0 }] }',
  );
  t.same(
    weighted?.targets.map(({ weight }) => weight),
    [80, 0],
  );
  const probes = loaded(
    'providers: { a: { kind: mock, probe: 30s }, b: { kind: mock, probe: off }, c: { kind: mock } }',
  );
  t.same(
    [...probes.providers.values()].map(({ probeMs }) => probeMs),
    [30_000, null, null],
  );
  const versions = ['[429]', '[430]', '[]'].map((on) => {
    return loaded(`providers: { mock: { kind: mock } }\nmodels: { a: { targets: [mock/a], retry: { on: ${on} } } }`)
      .version;
  });
  t.equal(new Set(versions).size, 3, 'the set of statuses is part of the version');
});

t.test('words of other gateways and their manuals', async (t) => {
  const problem = (text: string) => load(text).problems.join('\n');
  const mock = 'providers: { mock: { kind: mock } }\n';
  t.match(problem('model_list: []'), /tollgate import --from litellm/);
  t.match(
    problem('providers: { a: { type: openai, api_key: x, url: x } }'),
    /"providers.a.kind"[\s\S]*credentials"[\s\S]*base_url"/,
  );
  t.match(problem(`${mock}timeout: 5s\nretry: {}`), /"models.<name>.retry.response"[\s\S]*"models.<name>.retry"/);
  t.match(problem(`${mock}gateway: { port: 1 }`), /"gateway.listen"/);
  t.match(problem('providers: { a: { kind: azure, credentials: x } }'), /"azure-openai"/);
  for (const [url, wanted] of [
    ['localhost:11434', /begins with http/],
    ['https://h/v1/embeddings/', /end before "\/embeddings"/],
    ['https://h/v1?a=b', /without "\?"/],
    ['https://user:canary-1@h/v1', /without user and password/],
  ] as const) {
    t.match(problem(`providers: { a: { kind: openai-compatible, base_url: "${url}" } }`), wanted);
  }
  const hint = /a list item \("- "\) behind/;
  t.match(problem(`${mock}keys:\n  web: { id: x }\n  - id: y`), hint);
});

t.test('percentages', async (t) => {
  for (const [text, share] of [
    ['20%', 0.2],
    ['0%', 0],
    ['7%', 0.07],
    ['12.5%', 0.125],
    ['1000%', 10],
  ] as const) {
    t.equal(parseShare(text), share);
    t.equal(formatShare(share), text);
  }
  for (const text of ['20', '0.2', '%', '-1%', '1001%', '20 %', '1e2%', '']) t.equal(parseShare(text), null, text);
});

t.test('the version follows every value, secrets included, and nothing else', async (t) => {
  const { version } = loaded(VALID);
  t.equal(loaded(`${VALID}\n# another comment`).version, version);
  t.not(loaded(VALID.replace('team: search', 'team: ads')).version, version);
  const env = { ...surroundings().env, OPENAI_API_KEY: 'sk-proj-canary-OPENAI-9999996789' };
  t.not(loaded(VALID, surroundings({ env })).version, version, 'same last four characters');
});

t.test('every change of the schema as text: numbers and switches from the environment', async (t) => {
  const text = `gateway: { models_only: "\${YES}", body_limit: "\${LIMIT}" }\nenvoy: { concurrency: "\${THREE}" }\n`;
  const snapshot = loaded(`${text}providers: { mock: { kind: mock } }`);
  t.equal(snapshot.gateway.modelsOnly, true);
  t.equal(snapshot.envoy.concurrency, 3);
});

t.test('a file: that a variable brings in is not followed', async (t) => {
  const env = { ...surroundings().env, WEB_KEY: 'file:/run/secrets/key' };
  const snapshot = loaded(VALID, surroundings({ env }));
  t.not(
    snapshot.keys[0]?.sha256,
    loaded('providers: { mock: { kind: mock } }\nkeys: [{ id: a, secret: file:/run/secrets/key }]').keys[0]?.sha256,
  );
});

t.test('secret files are named even when the rest is refused', async (t) => {
  const text = 'nonsense: 1\nkeys: [{ id: a, secret: file:beside.txt }]';
  t.same(loadConfig({ path: '/etc/tollgate/tollgate.yaml', text }, surroundings()).files, ['/etc/tollgate/beside.txt']);
});

t.test('deep nesting and big numbers do no harm', async (t) => {
  for (const text of [
    '['.repeat(50_000),
    '{a: '.repeat(20_000),
    `a: ${'9'.repeat(500)}`,
    '\0',
    '\uFEFF',
    '- '.repeat(9000),
  ]) {
    t.ok(load(text).problems.length > 0);
  }
});

t.test('keys that are names of built-in things', async (t) => {
  const { problems } = load(
    '__proto__: 1\nconstructor: 2\nproviders: { constructor: { kind: toString }, hasOwnProperty: { kind: mock } }',
  );
  t.match(problems.join('\n'), /1:1: __proto__: not usable/);
  t.match(problems.join('\n'), /2:1: constructor: unknown key/);
  t.match(problems.join('\n'), /unknown provider kind "toString"/);
});

const CANARY = /canary|plain-literal-secret-1/;

t.test('case 113: small edits never crash, every problem has a place, no secret is told', async (t) => {
  const piece = fc.oneof(
    fc.constantFrom(
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
      '*',
      '&',
      '!',
      '#',
      '-',
      '${',
      '\t',
      '<<: *retry',
      '@',
      '%',
      '|',
      '?',
      '\r\n',
    ),
    fc.string({ maxLength: 4, unit: 'binary' }),
    fc.constantFrom('null', 'true', '1e999', '-0', '[]', '{}', 'file:', `\${WEB_KEY}`, `"\${NOPE}"`),
  );
  const edit = fc.record({ at: fc.nat(VALID.length), cut: fc.nat(12), piece });
  const property = fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
    for (const { path, message } of problemsAfter(VALID, edits)) {
      if (CANARY.test(message) || CANARY.test(path)) throw new Error(`${path}: ${message}`);
    }
  });
  fc.assert(property, { numRuns: Number(process.env['FUZZ_RUNS'] ?? 1500) });
  t.pass();
});

t.test('paths are absolute', async (t) => {
  const snapshot = loaded('providers: { mock: { kind: mock } }\nruntime_directory: ./r\nledger: { directory: ../l }');
  for (const path of [snapshot.runtimeDirectory, snapshot.ledger.directory, snapshot.dataDirectory])
    t.ok(isAbsolute(path), path);
});
