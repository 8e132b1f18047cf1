import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import t from 'tap';
import { compileCondition } from '../../src/config/compile-condition.js';
import type { Condition, LimitState, Subject } from '../../src/config/condition.js';

interface Facts {
  readonly model?: string;
  readonly endpoint?: string;
  readonly stream?: boolean;
  readonly user?: string;
  readonly tools?: boolean;
  readonly tokens?: () => number;
  readonly id?: string;
  readonly labels?: Record<string, string>;
  readonly metadata?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly limits?: Record<string, LimitState>;
}

function subject(facts: Facts = {}): Subject {
  return {
    request: {
      model: facts.model ?? 'smart',
      endpoint: facts.endpoint ?? '/v1/chat/completions',
      stream: facts.stream ?? false,
      user: facts.user ?? '',
      tools: facts.tools ?? false,
      metadata: facts.metadata ?? {},
      header: (name) => facts.headers?.[name],
      inputTokens: facts.tokens ?? (() => 1000),
    },
    key: { id: facts.id ?? 'web', labels: facts.labels ?? {} },
    limit: (name) => facts.limits?.[name] ?? { used: 0, max: 0, ratio: 0 },
  };
}

function condition(source: string): Condition {
  const result = compileCondition(source);
  if ('problem' in result) throw new Error(`${source}: ${result.problem}`);
  return result.value;
}

function problem(source: string): string {
  const result = compileCondition(source);
  return 'problem' in result ? result.problem : 'no problem';
}

const RICH: Facts = {
  model: 'openai/gpt-5',
  stream: true,
  user: 'ann',
  tools: true,
  tokens: () => 1500,
  labels: { team: 'search', 'cost-centre': '7' },
  metadata: { workload: 'batch', n: '12' },
  headers: { 'x-team': 'blue', referer: 'here' },
  limits: { 'search-budget': { used: 90, max: 100, ratio: 0.9 }, plain: { used: 1, max: 1, ratio: 1 } },
};

t.test('what an expression says of a request', async (t) => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['key.labels.team == "search"', true],
    ["key.labels['team'] == 'search'", true],
    ['"search" == key.labels.team', true],
    ['key["labels"]["team"] == "search"', true],
    ['(key.labels)["cost-centre"] == "7"', true],
    ['key.id == "web" && request.model == "openai/gpt-5"', true],
    ['key.id == "web" && request.model == "other"', false],
    ['request.model.startsWith("openai/") || request.endpoint == "x"', true],
    ['request.model in ["a", "openai/gpt-5"]', true],
    ['request.stream && request.tools', true],
    ['!request.stream', false],
    ['request.stream == true', true],
    ['request.input_tokens > 1000', true],
    ['request.input_tokens >= 1500 && request.input_tokens < 1501', true],
    ['request.input_tokens * 1.5 > 2000', true],
    ['request.input_tokens / 2 == 750', true],
    ['request.input_tokens == 1500.0', true],
    ['-request.input_tokens < 0', true],
    ['limit["search-budget"].ratio > 0.8', true],
    ['limit["search-budget"].used * 2 > 100', true],
    ['limit["search-budget"].max - limit.plain.used == 99', true],
    ['limit.plain.ratio == 1', true],
    ['limit.plain.ratio != 1', false],
    ['limit.plain.ratio >= 1', true],
    ['request.headers["x-team"] == "blue"', true],
    ['request.headers["X-Team"] == "blue"', true],
    ['request.headers.referer == "here"', true],
    ['request.user != ""', true],
    ['request.stream ? request.user == "ann" : false', true],
    ['int(request.metadata.n) > 10', true],
    ['size(request.metadata.workload) == 5', true],
    ['key.labels.exists(name, name == "team")', true],
    ['["ann", "bob"].exists(user, user == request.user)', true],
    ['[1, 2].all(n, n < request.input_tokens)', true],
    ['size(key.labels) == 2', true],
    ['key.labels[request.metadata.missing] == ""', true],
    ['cel.bind(who, request.user, who == "ann")', true],
    ['{"ann": "x"}[request.user] == "x"', true],
    ['"a\\"b" == "a\\"b" && request.model.contains("-")', true],
    ['0.1234567890123 == 0.1234567890123', true],
  ];
  for (const [source, expected] of cases) t.equal(condition(source).matches(subject(RICH)), expected, source);
});

t.test('what is not there', async (t) => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['key.labels.team == "search"', false],
    ['key.labels.team != "search"', true],
    ['!(key.labels.team == "search")', true],
    ['key.labels.team == ""', true],
    ['key.labels.team == "" && key.id == "web"', true],
    ['has(key.labels.team)', false],
    ['!has(request.metadata.workload)', true],
    ['has(request.headers.referer)', false],
    ['"team" in key.labels', false],
    ['"x-team" in request.headers', false],
    ['request.user in key.labels', false],
    ['request.metadata.workload.startsWith("b")', false],
    ['request.headers["x-team"] == "blue"', false],
    ['int(request.metadata.n) > 10', false],
    ['!(int(request.model) > 10)', false],
    ['10 / size(request.user) > 1', false],
    ['limit["any"].ratio > 0.5', false],
    ['key.labels.toString == "x"', false],
    ['has(key.labels.constructor) || has(request.metadata.hasOwnProperty)', false],
  ];
  for (const [source, expected] of cases) t.equal(condition(source).matches(subject()), expected, source);
});

t.test('only what is named is read, and only when it matters', async (t) => {
  let counted = 0;
  const counting = subject({
    tokens: () => {
      counted += 1;
      return 2.5;
    },
  });
  t.notOk(condition('key.id == "other" && request.input_tokens > 1').matches(counting));
  t.equal(counted, 0);
  t.ok(condition('key.id == "web" && request.input_tokens == 3').matches(counting), 'a part counts as one');
  t.equal(counted, 1);
  const throwing = {
    ...subject(),
    limit() {
      throw new Error('no state');
    },
  };
  t.notOk(condition('limit.a.ratio > 0.5').matches(throwing), 'never throws');
});

t.test('for indexes: equalities and limits', async (t) => {
  const cases: readonly (readonly [string, readonly (readonly [string, string])[], readonly string[]])[] = [
    [
      'key.labels.team == "a" && "b" == key.id',
      [
        ['key.labels.team', 'a'],
        ['key.id', 'b'],
      ],
      [],
    ],
    [
      'key.labels["x-y"] == "a" && (request.model == "m" && request.endpoint == "/e")',
      [
        ['key.labels.x-y', 'a'],
        ['request.model', 'm'],
        ['request.endpoint', '/e'],
      ],
      [],
    ],
    ['key.labels.team == "a" || key.id == "b"', [], []],
    ['!(key.id == "b")', [], []],
    ['key.id != "b"', [], []],
    ['key.id == key.labels.owner', [], []],
    ['key.labels.team == "" && request.user == "x"', [], []],
    [
      'key.id == "b" && limit["one"].ratio > 0.5 && limit.two.used > limit["one"].max',
      [['key.id', 'b']],
      ['one', 'two'],
    ],
    ['request.stream', [], []],
  ];
  for (const [source, equalities, limits] of cases) {
    const compiled = condition(source);
    t.same(compiled.equalities, equalities, source);
    t.same(compiled.limits, limits, source);
    t.equal(compiled.source, source);
  }
});

t.test('mistakes', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /must be a condition/],
    ['request.modle == "x"', /unknown field "modle" of request; did you mean "model"\?/],
    ['has(request.modle)', /unknown field "modle"/],
    ['keys.labels.team == "x"', /unknown name "keys"; did you mean "key"\?/],
    ['model == "x"', /unknown name "model"; did you mean "request.model"\?/],
    ['key.label.team == "x"', /unknown field "label" of key; did you mean "labels"\?/],
    ['limit["a"].ration > 0.5', /unknown field "ration" of a limit; did you mean "ratio"\?/],
    ['limit["a"] > 0.5', /a limit needs its name in quotes and one of used, max, ratio/],
    ['limit[key.id].ratio > 0.5', /a limit needs its name/],
    ['"a" in limit', /a limit needs its name/],
    ['request.model', /must be true or false, but is of type string/],
    ['request.input_tokens', /must be true or false, but is of type int/],
    ['key', /key needs one of its fields: id, labels/],
    ['key.labels == "x"', /types do not fit: map<string, string> == string/],
    ['key.id == 5', /types do not fit: string == int/],
    ['request.stream == "true"', /types do not fit: bool == string/],
    ['key.id.first == "x"', /key\.id has no fields/],
    ['key.labels.a.b == "x"', /key\.labels has no fields/],
    ['request.headers[key.id] == "x"', /a header needs its name in quotes/],
    ['size(request.headers) > 1', /a header needs its name in quotes/],
    ['request.headers["Authorization"] == "x"', /carries a secret/],
    ['"x-api-key" in request.headers', /carries a secret/],
    ['has(request.headers.cookie)', /carries a secret/],
    ['has(key.id)', /has\(\) is for labels, metadata and headers/],
    ['request.model.matches("(a+)+$")', /matches\(\) is not supported/],
    ['key.id == "x', /unterminated string/],
    ['key.id ==', /ends too early/],
    ['key.id = "x"', /^values are compared with ==$/],
    ['key.id == "x" &&& true', /at character/],
    ['foo(1)', /no matching overload for 'foo\(int\)'/],
    ['fact_0 == "x"', /unknown name "fact_0"/],
    ['["a"].exists(fact_0, fact_0 == key.id)', /unknown name/],
    ['["a"].exists(key, key == "a")', /cannot be the name of a variable/],
    ['key.?labels.team == "x"', /./],
    [`key.id == "${'x'.repeat(5000)}"`, /longer than 4096/],
    [`${'('.repeat(200)}true${')'.repeat(200)}`, /./],
    [`key.id == "sk-proj-0123456789abcdefghij" && 5`, /^(?!.*0123456789)/],
  ];
  for (const [source, expected] of cases) t.match(problem(source), expected, source.slice(0, 60));
  for (const [source] of cases) t.not(problem(source), 'no problem', source.slice(0, 60));
});

const word = fc.constantFrom('a', 'b', 'team', 'search', '', 'toString');
const facts = fc.record({
  model: word,
  id: word,
  user: word,
  stream: fc.boolean(),
  labels: fc.dictionary(fc.constantFrom('team', 'tier'), word),
  metadata: fc.dictionary(fc.constantFrom('x', 'y'), word),
});
const field = fc.constantFrom(
  'request.model',
  'key.id',
  'request.user',
  'key.labels.team',
  'key.labels["tier"]',
  'request.metadata.x',
);
const equality = fc.tuple(field, word, fc.boolean()).map(([name, value, turned]) => {
  return turned ? `${JSON.stringify(value)} == ${name}` : `${name} == ${JSON.stringify(value)}`;
});

t.test('conjunctions of equalities are what CEL makes of them', async (t) => {
  const property = fc.property(fc.array(equality, { minLength: 1, maxLength: 4 }), facts, (parts, given) => {
    const source = parts.join(' && ');
    const quick = condition(source);
    // The same with a part that is no equality: CEL is asked.
    const slow = condition(`${source} && !false`);
    const expected = slow.matches(subject(given));
    if (quick.matches(subject(given)) !== expected) throw new Error(source);
    for (const [name, value] of quick.equalities) {
      const [, label] = /^key\.labels\.(.*)$/.exec(name) ?? [];
      const actual =
        label === undefined ? { 'key.id': given.id, 'request.model': given.model }[name] : given.labels[label];
      if (expected && actual !== value) throw new Error(`${source}: ${name} is not ${value}`);
    }
  });
  fc.assert(property, { numRuns: 1000 });
  t.pass();
});

t.test('any expression is what CEL makes of it where all labels are there', async (t) => {
  const plain = new Environment()
    .registerVariable('request', 'map')
    .registerVariable('key', 'map')
    .registerVariable('limit', 'map');
  const atom = fc.oneof(
    equality,
    fc.constantFrom('request.stream', 'key.id != request.user', 'key.id in ["a", "b"]', 'request.model.contains("a")'),
    fc.constantFrom(
      'has(key.labels.team)',
      '"x" in request.metadata',
      'request.input_tokens > 5',
      'limit["a"].ratio > 0.5',
    ),
    fc.constantFrom(
      '[1, 2].exists(n, n == request.input_tokens)',
      'key.labels[request.user == "a" ? "team" : "tier"] == "a"',
    ),
  );
  const { expression } = fc.letrec<{ expression: string; pair: string; choice: string }>((tie) => ({
    expression: fc.oneof({ maxDepth: 3 }, atom, tie('pair'), tie('choice')),
    pair: fc
      .tuple(tie('expression'), fc.constantFrom('&&', '||', '=='), tie('expression'))
      .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
    choice: fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([first, second, third]) => `!(${first}) ? ${second} : (${third})`),
  }));
  const all = fc.record({ team: word, tier: word });
  const property = fc.property(expression, facts, all, fc.nat(10), (source, given, entries, tokens) => {
    const ratio = tokens / 10;
    const state = { used: 1, max: 1, ratio };
    const complete = {
      ...given,
      labels: entries,
      metadata: { x: entries.team, y: entries.tier },
      tokens: () => tokens,
      limits: { a: state },
    };
    const request = { ...complete, endpoint: '', tools: false, input_tokens: BigInt(tokens) };
    const context = { request, key: { id: given.id, labels: entries }, limit: { a: state } };
    const expected = plain.parse(source)(context);
    if (condition(source).matches(subject(complete)) !== expected) throw new Error(`${source} is ${String(expected)}`);
  });
  fc.assert(property, { numRuns: 1000 });
  t.pass();
});
