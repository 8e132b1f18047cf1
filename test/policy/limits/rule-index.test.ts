import fc from 'fast-check';
import t from 'tap';
import type { Condition, Subject } from '../../../src/config/condition.js';
import { fieldReader } from '../../../src/policy/limits/fields.js';
import { RuleIndex } from '../../../src/policy/limits/rule-index.js';
import { type CompiledRule, compileRule } from '../../../src/policy/limits/slots.js';
import { compiled, conditionOf, limitRule, type SampleSubject, subjectOf } from './sample-limits.js';

type Equality = readonly [field: string, value: string];

/** Matches when all equalities hold and `also` does; counts how often it was asked. */
function counted(equalities: readonly Equality[], also: (subject: Subject) => boolean = () => true) {
  const asked = { times: 0 };
  const condition: Condition = conditionOf(
    (subject) => {
      asked.times += 1;
      return equalities.every(([field, value]) => fieldReader(field)?.(subject) === value) && also(subject);
    },
    { equalities },
  );
  return { asked, condition };
}

function compile(conditions: readonly (Condition | null)[]): readonly CompiledRule[] {
  return conditions.map((when, order) => compileRule(limitRule(`limit ${order}`, { when }), order, 'UTC'));
}

function namesOf(rules: readonly CompiledRule[], subject: Subject): readonly string[] {
  return rules.filter(({ rule }) => rule.when?.matches(subject) ?? true).map(({ rule }) => rule.name);
}

t.test('a thousand limits are one look-up', async (t) => {
  const limits = Array.from({ length: 1000 }, (_, index) =>
    counted([
      ['request.model', 'smart'],
      ['key.labels.team', `team-${index}`],
    ]),
  );
  const index = new RuleIndex(compile(limits.map(({ condition }) => condition)));
  const subject = subjectOf({ labels: { team: 'team-7' } });
  t.same(namesOf(index.candidates(subject), subject), ['limit 7']);
  const asked = limits.reduce((sum, limit) => sum + limit.asked.times, 0);
  t.equal(asked, 1, 'by the rarer of the equalities: one condition was evaluated');
  t.equal(index.candidates(subjectOf()).length, 0, 'a label that is not there');
  t.equal(index.candidates(subjectOf()), index.candidates(subjectOf({ key: 'ci' })), 'nothing is made for nothing');
});

t.test('conditions of the configuration', async (t) => {
  const index = new RuleIndex(
    compile([
      compiled('key.labels.team == "a" && request.stream'),
      compiled('key.labels["team"] == "b" && request.model == "smart"'),
      compiled('key.labels.team != "a"'),
      compiled('request.user == ""'),
      compiled('key.id == "web" || key.id == "ci"'),
      compiled('request.endpoint == "/v1/embeddings"'),
    ]),
  );
  const b = subjectOf({ labels: { team: 'b' } });
  t.same(namesOf(index.candidates(b), b), ['limit 1', 'limit 2', 'limit 3', 'limit 4']);
  t.equal(index.candidates(b).length, 4, 'the others were not looked at');
});

t.test('equalities that the index cannot read', async (t) => {
  const unknown = conditionOf(() => true, { equalities: [['request.weather', 'rain']] });
  const index = new RuleIndex(compile([unknown, null]));
  t.same(namesOf(index.candidates(subjectOf()), subjectOf()), ['limit 0', 'limit 1'], 'are evaluated one by one');
});

t.test('names that every object has', async (t) => {
  for (const name of ['toString', '__proto__', 'constructor']) {
    t.equal(fieldReader(`key.labels.${name}`)?.(subjectOf()), undefined, name);
    const labels = JSON.parse(`{${JSON.stringify(name)}:"x"}`);
    t.equal(fieldReader(`key.labels.${name}`)?.(subjectOf({ labels })), 'x', `${name} as a label`);
  }
  t.equal(fieldReader('key.labels.a.b')?.(subjectOf({ labels: { 'a.b': 'c' } })), 'c', 'dots in a name');
  t.equal(fieldReader('request.headers.X-App')?.(subjectOf({ headers: { 'x-app': 'shop' } })), 'shop');
});

const value = fc.constantFrom('a', 'b', 'c', '');
const equality = fc.tuple(
  fc.constantFrom(
    'key.id',
    'key.labels.team',
    'key.labels.tier',
    'request.user',
    'request.model',
    'request.metadata.feature',
    'request.headers.x-app',
    'request.unknown',
  ),
  value,
);
const rule = fc.record({ equalities: fc.array(equality, { maxLength: 3 }), all: fc.boolean(), odd: fc.boolean() });
const record = (...names: readonly string[]) =>
  fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] }) as fc.Arbitrary<
    Record<string, string>
  >;
const sample: fc.Arbitrary<SampleSubject> = fc.record({
  key: value,
  user: value,
  model: value,
  labels: record('team', 'tier'),
  metadata: record('feature'),
  headers: record('x-app'),
});

t.test('the index finds what a linear scan finds, in the same order', async (t) => {
  let found = 0;
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 30 }), fc.array(sample, { maxLength: 8 }), (rules, samples) => {
      const conditions = rules.map(({ equalities, all, odd }) => {
        if (all) return null;
        return counted(equalities, odd ? (subject) => subject.key.id !== 'a' : undefined).condition;
      });
      const compiled = compile(conditions);
      const index = new RuleIndex(compiled);
      return samples.map(subjectOf).every((subject) => {
        const expected = namesOf(compiled, subject);
        found += expected.length;
        return namesOf(index.candidates(subject), subject).join() === expected.join();
      });
    }),
    { numRuns: 300 },
  );
  t.ok(found > 1000, `the samples match often enough to mean something: ${found}`);
});
