import type { Condition, Subject } from '../src/config/condition.js';
import type { LimitRule } from '../src/config/limit-rules.js';
import { createLimiter } from '../src/policy/limits/create-limiter.js';
import type { Limiter } from '../src/policy/limits/limiter.js';
import { createMemoryCounters } from '../src/store/memory/memory-counters.js';

/**
 * What limits cost a request in the process itself: finding those that cover it, holding, settling; with counters in
 * memory. 1,000 limits for 1,000 teams and one for everybody, 10,000 keys. Prints a Markdown table of microseconds.
 */

const LIMITS = 1000;
const KEYS = 10_000;
const AMOUNTS = { requests: 1, input_tokens: 100, output_tokens: 400, tokens: 500, cost: 1_000_000 };

function rule(name: string, overrides: Partial<LimitRule>): LimitRule {
  const none = { requests: null, tokens: null, cost: null, concurrent: null };
  return {
    name,
    when: null,
    per: [],
    ...none,
    alertAt: [0.8, 1],
    action: { kind: 'reject' },
    hard: true,
    ...overrides,
  };
}

function team(name: string): Condition {
  const matches = (subject: Subject) => subject.key.labels['team'] === name;
  return { source: `key.labels.team == "${name}"`, limits: [], equalities: [['key.labels.team', name]], matches };
}

const minute = { kind: 'duration', ms: 60_000 } as const;
const budgets = Array.from({ length: LIMITS }, (_, index) =>
  rule(`budget-${index}`, {
    when: team(`team-${index}`),
    cost: { max: 10n ** 18n, window: { kind: 'calendar', unit: 'month' }, sliding: false },
  }),
);
const perKey = rule('per-key', {
  per: [{ kind: 'key.id' }],
  requests: { max: 10n ** 9n, window: minute, sliding: false },
  tokens: { max: 10n ** 12n, window: minute, sliding: true, of: 'total' },
  concurrent: 1000,
});

const subjects = Array.from({ length: KEYS }, (_, index) => subject(`key-${index}`, `team-${index % LIMITS}`));

function subject(id: string, name: string): Subject {
  return {
    request: {
      model: 'smart',
      endpoint: '/v1/chat/completions',
      stream: false,
      user: '',
      tools: false,
      metadata: {},
      header: () => undefined,
      inputTokens: () => 0,
    },
    key: { id, labels: { team: name } },
    limit: () => ({ used: 0, max: 0, ratio: 0 }),
  };
}

let requests = 0;

/** Every key once, through all three steps; a request that nothing covers ends after the first. */
function everyKey(limiter: Limiter): void {
  for (const subject of subjects) {
    limiter.covering(subject, (covering) => {
      if (covering.rules.length === 0) return;
      const id = `request-${requests++}`;
      const ask = { id, subject, covering, amounts: AMOUNTS, ttlMs: 3_600_000, without: [] };
      limiter.hold(ask, (verdict) => {
        if (verdict.kind !== 'held') throw new Error('a limit was not wide enough');
        limiter.settle(id, AMOUNTS);
      });
    });
  }
}

function measure(name: string, rules: readonly LimitRule[], rounds: number): void {
  const store = createMemoryCounters({ now: Date.now });
  const limiter = createLimiter({
    rules,
    timeZone: 'Europe/Berlin',
    store,
    now: Date.now,
    onThreshold: () => undefined,
  });
  const micros: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const start = performance.now();
    everyKey(limiter);
    // The first round makes the counters and warms up.
    if (round > 0) micros.push(((performance.now() - start) * 1000) / KEYS);
  }
  micros.sort((one, other) => one - other);
  const [best = 0, middle = 0, worst = 0] = [micros[0], micros[micros.length >> 1], micros.at(-1)];
  console.log(`| ${name} | ${best.toFixed(2)} | ${middle.toFixed(2)} | ${worst.toFixed(2)} |`);
}

/** Rounds over all keys; the first one, which warms up, is on top. */
export function measureLimiter(rounds: number): void {
  const others = budgets.map((budget) => ({ ...budget, when: team('nobody') }));
  console.log('| µs per request: covering, hold and settle | best | median | worst |\n|---|---|---|---|');
  measure('1,000 limits, none covers', others, rounds);
  measure('1,000 limits, one covers (cost)', budgets, rounds);
  measure('1,001 limits, two cover (cost; requests, tokens, concurrent by key)', [...budgets, perKey], rounds);
}
