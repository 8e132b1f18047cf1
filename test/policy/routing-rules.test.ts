import t from 'tap';
import { compileCondition } from '../../src/config/compile-condition.js';
import type { Condition, LimitState, Subject } from '../../src/config/condition.js';
import type { RouteRule } from '../../src/config/limit-rules.js';
import { createRouter } from '../../src/policy/routing/routes.js';

function rules(...texts: readonly (readonly [when: string | null, model: string])[]): readonly RouteRule[] {
  return texts.map(([when, model], index) => ({
    name: String(index),
    when: when === null ? null : condition(when),
    model,
  }));
}

function condition(source: string): Condition {
  const compiled = compileCondition(source);
  if ('problem' in compiled) throw new Error(compiled.problem);
  return compiled.value;
}

function subject(labels: Record<string, string>, limits: Record<string, LimitState> = {}): Subject {
  const request = {
    model: 'smart',
    endpoint: '/v1/chat/completions',
    stream: false,
    user: '',
    tools: false,
    metadata: {},
    header: () => undefined,
    inputTokens: () => 10,
  };
  return { request, key: { id: 'web', labels }, limit: (name) => limits[name] ?? { used: 0, max: 1, ratio: 0 } };
}

t.test('the first that matches', async (t) => {
  const router = createRouter(
    rules(
      ['key.labels.tier == "free"', 'fast'],
      ['key.labels.team == "search" && request.input_tokens < 100', 'cheap'],
    ),
  );
  const route = (labels: Record<string, string>) => router.route(subject(labels));
  t.match(route({ tier: 'free', team: 'search' }), { name: '0', model: 'fast' });
  t.match(route({ team: 'search' }), { name: '1', model: 'cheap' });
  t.equal(route({ team: 'other' }), null, 'the model that was asked for');
  t.equal(createRouter([]).route(subject({})), null);
  t.match(createRouter(rules(['key.id == "other"', 'a'], [null, 'b'])).route(subject({})), { name: '1', model: 'b' });
});

t.test('rules that look at limits', async (t) => {
  const router = createRouter(
    rules(
      ['limit["budget"].ratio > 0.9', 'fast'],
      ['limit.budget.used > 5 && limit.other.ratio >= 1', 'cheap'],
      [null, 'x'],
    ),
  );
  t.same(router.limitsNamed, ['budget', 'other']);
  const at = (ratio: number) => ({ used: ratio * 10, max: 10, ratio });
  t.equal(router.route(subject({}, { budget: at(0.95) }))?.model, 'fast');
  t.equal(router.route(subject({}, { budget: at(0.8), other: at(1) }))?.model, 'cheap');
  t.equal(router.route(subject({}, { budget: at(0.8), other: at(0.5) }))?.model, 'x');
  t.same(createRouter(rules([null, 'x'])).limitsNamed, []);
});
