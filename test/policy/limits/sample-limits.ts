import { compileCondition } from '../../../src/config/compile-condition.js';
import type { Condition, Subject } from '../../../src/config/condition.js';
import type { Bound, LimitRule, LimitWindow, PartitionField } from '../../../src/config/limit-rules.js';
import type { Amounts } from '../../../src/store/counter-store.js';

/** A limit that bounds nothing yet. */
export function limitRule(name: string, overrides: Partial<LimitRule> = {}): LimitRule {
  return {
    name,
    when: null,
    per: [],
    requests: null,
    tokens: null,
    cost: null,
    concurrent: null,
    alertAt: [],
    action: { kind: 'reject' },
    hard: true,
    ...overrides,
  };
}

export const MINUTE: LimitWindow = { kind: 'duration', ms: 60_000 };
export const MONTH: LimitWindow = { kind: 'calendar', unit: 'month' };
export const TOTAL: LimitWindow = { kind: 'total' };

export function bound(max: number | bigint, window: LimitWindow = MINUTE, sliding = false): Bound {
  return { max: BigInt(max), window, sliding };
}

/** Dollars to nano-dollars. */
export function dollars(amount: number): bigint {
  return BigInt(Math.round(amount * 1e9));
}

export const PER_USER: readonly PartitionField[] = [{ kind: 'request.user' }];

export interface SampleSubject {
  readonly key?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly model?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function subjectOf(sample: SampleSubject = {}): Subject {
  return {
    request: {
      model: sample.model ?? 'smart',
      endpoint: '/v1/chat/completions',
      stream: false,
      user: sample.user ?? '',
      tools: false,
      metadata: sample.metadata ?? {},
      header: (name) => sample.headers?.[name],
      inputTokens: () => 0,
    },
    key: { id: sample.key ?? 'web', labels: sample.labels ?? {} },
    limit: () => ({ used: 0, max: 0, ratio: 0 }),
  };
}

export function amountsOf(overrides: Partial<Amounts> = {}): Amounts {
  return { requests: 1, input_tokens: 0, output_tokens: 0, tokens: 0, cost: 0, ...overrides };
}

/** A condition made by hand. */
export function conditionOf(matches: (subject: Subject) => boolean, overrides: Partial<Condition> = {}): Condition {
  return { source: 'by hand', limits: [], equalities: [], matches, ...overrides };
}

/** A condition as the configuration has it. */
export function compiled(source: string): Condition {
  const result = compileCondition(source);
  if ('problem' in result) throw new Error(result.problem);
  return result.value;
}
