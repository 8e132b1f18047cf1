import type { Condition, Subject } from '../../src/config/condition.js';
import type { LimitRule } from '../../src/config/limit-rules.js';
import { createLimiter } from '../../src/policy/limits/create-limiter.js';
import { createMemoryCounters } from '../../src/store/memory/memory-counters.js';
import type { MicroCase } from './micro-case.js';

const KEYS = 10_000;
const AMOUNTS = { requests: 1, input_tokens: 100, output_tokens: 400, tokens: 500, cost: 1_000_000 };
const MINUTE = { kind: 'duration', ms: 60_000 } as const;
const MONTH = { kind: 'calendar', unit: 'month' } as const;

function rule(name: string, overrides: Partial<LimitRule>): LimitRule {
  const none = { requests: null, tokens: null, cost: null, concurrent: null };
  const action = { kind: 'reject' } as const;
  return { name, when: null, per: [], ...none, alertAt: [0.8, 1], action, hard: true, ...overrides };
}

function team(name: string): Condition {
  const matches = (subject: Subject): boolean => subject.key.labels['team'] === name;
  return { source: `key.labels.team == "${name}"`, limits: [], equalities: [['key.labels.team', name]], matches };
}

function budget(name: string): LimitRule {
  return rule(`budget-${name}`, { when: team(name), cost: { max: 10n ** 18n, window: MONTH, sliding: false } });
}

const PER_KEY = rule('per-key', {
  per: [{ kind: 'key.id' }],
  requests: { max: 10n ** 9n, window: MINUTE, sliding: false },
  tokens: { max: 10n ** 12n, window: MINUTE, sliding: false, of: 'total' },
});

function subjectOf(id: string): Subject {
  const request = {
    model: 'smart',
    endpoint: '/v1/chat/completions',
    stream: false,
    user: '',
    tools: false,
    metadata: {},
    header: () => undefined,
    inputTokens: () => 0,
  };
  return { request, key: { id, labels: { team: 'bench' } }, limit: () => ({ used: 0, max: 0, ratio: 0 }) };
}

/** What covers a request is found, held and settled: a budget of its team, requests and tokens of its key. */
function holdAndSettle(name: string, rules: readonly LimitRule[]): MicroCase {
  const store = createMemoryCounters({ now: Date.now });
  const none = (): undefined => undefined;
  const limiter = createLimiter({ rules, timeZone: 'Europe/Berlin', store, now: Date.now, onThreshold: none });
  const subjects = Array.from({ length: KEYS }, (_, at) => subjectOf(`key-${at}`));
  let requests = 0;
  const one = (subject: Subject): void => {
    limiter.covering(subject, (covering) => {
      requests += 1;
      const id = `request-${requests}`;
      const ask = { id, subject, covering, amounts: AMOUNTS, ttlMs: 3_600_000, without: [] };
      limiter.hold(ask, (verdict) => {
        if (verdict.kind !== 'held') throw new Error('a limit was not wide enough');
        limiter.settle(id, AMOUNTS);
      });
    });
  };
  return {
    name,
    run(times) {
      for (let at = 0; at < times; at += 1) {
        const subject = subjects[(requests * 7919) % KEYS];
        if (subject !== undefined) one(subject);
      }
    },
  };
}

export function cases(): readonly MicroCase[] {
  const others = Array.from({ length: 998 }, (_, at) => budget(`team-${at}`));
  return [
    holdAndSettle('limits: hold and settle, 2 limits', [budget('bench'), PER_KEY]),
    holdAndSettle('limits: hold and settle, 1,000 limits', [...others, budget('bench'), PER_KEY]),
  ];
}
