import t from 'tap';
import type { Condition, Subject } from '../../src/config/condition.js';
import { Gateway } from '../../src/gateway/gateway.js';
import type { Reply } from '../../src/gateway/reply.js';
import type { Covering, LimitAsk, Limiter, LimitVerdict } from '../../src/policy/limits/limiter.js';
import { NO_LIMITS } from '../../src/policy/limits/no-limits.js';
import type { Amounts } from '../../src/store/counter-store.js';
import { CHAT, chatBody, headers, headersReply, SampleParts, sampleSnapshot } from './sample-parts.js';

const RULE = {
  name: 'budget',
  when: null,
  per: [],
  requests: null,
  tokens: null,
  cost: null,
  concurrent: null,
  alertAt: [],
  action: { kind: 'reject' },
  hard: true,
} as const;
const COST: Covering = { rules: [RULE], countsTokens: false, countsCost: true, hardCost: true };
const HELD = (id: string): LimitVerdict => ({
  kind: 'held',
  held: { id, places: { 'budget|cost|total|@0': 5 }, headers: [['x-ratelimit-limit-requests', '9']], shadowed: [] },
});

/** Answers in the order given, then holds; remembers what it was asked and what was settled. */
class SampleLimiter implements Limiter {
  readonly asked: LimitAsk[] = [];
  readonly settled: [string, Amounts][] = [];
  readonly subjects: Subject[] = [];
  later: (() => void) | null = null;
  readonly #verdicts: LimitVerdict[];
  readonly #covers: Covering;
  readonly #waits: boolean;

  constructor(options: { verdicts?: LimitVerdict[]; covering?: Covering; waits?: boolean } = {}) {
    this.#verdicts = options.verdicts ?? [];
    this.#covers = options.covering ?? COST;
    this.#waits = options.waits ?? false;
  }

  covering(subject: Subject, done: (covering: Covering) => void): void {
    this.subjects.push(subject);
    done(this.#covers);
  }

  hold(ask: LimitAsk, done: (verdict: LimitVerdict) => void): void {
    this.asked.push(ask);
    const answer = (): void => done(this.#verdicts.shift() ?? HELD(ask.id));
    if (this.#waits) this.later = answer;
    else answer();
  }

  settle(id: string, actual: Amounts): void {
    this.settled.push([id, actual]);
  }

  states = NO_LIMITS.states;
  rows = NO_LIMITS.rows;
}

function run(limiter: Limiter, more: { parts?: SampleParts; body?: Buffer; headers?: Record<string, string> } = {}) {
  const parts = more.parts ?? new SampleParts(sampleSnapshot(), '7', limiter);
  const exchange = new Gateway(parts).open(headers({ ...CHAT, ...more.headers }));
  headersReply(exchange);
  const result: { exchange: typeof exchange; parts: SampleParts; reply: Reply | null } = {
    exchange,
    parts,
    reply: null,
  };
  exchange.requestBody(more.body ?? chatBody('smart', false), (reply) => {
    result.reply = reply;
  });
  return result;
}

function errorOf(reply: Reply | null): { status: number; code: string; message: string } {
  if (reply?.kind !== 'refuse') throw new Error(reply?.kind ?? 'no answer');
  const { code, message } = (JSON.parse(reply.body.toString()) as { error: { code: string; message: string } }).error;
  return { status: reply.status, code, message };
}

const ZERO: Amounts = { requests: 0, input_tokens: 0, output_tokens: 0, tokens: 0, cost: 0 };

t.test('a hold is bounded, in the ledger, and settled once with the truth', async (t) => {
  const limiter = new SampleLimiter();
  const { exchange, parts, reply } = run(limiter);
  t.equal(reply?.kind, 'continue');
  const amounts = limiter.asked[0]?.amounts;
  t.match(amounts, { requests: 1, output_tokens: 100 }, 'the context of the target is less than the cap');
  t.equal(amounts?.cost, (amounts?.input_tokens ?? 0) * 1000 + 100 * 2000, 'input at a dollar, output at two');
  t.same(parts.holds[0]?.limits, { 'budget|cost|total|@0': 5 });
  const answer = exchange.responseHeaders(
    headers({ ':status': '200', 'content-type': 'application/json', 'x-ratelimit-limit-tokens': '7' }),
    { upstream: true, details: 'via_upstream', attempts: 1, cluster: 'cluster-of-a', failure: null },
    false,
  );
  if (answer.kind !== 'continue') throw new Error(answer.kind);
  t.same(
    answer.set.filter(([name]) => name.startsWith('x-ratelimit')),
    [['x-ratelimit-limit-requests', '9']],
    'ours',
  );
  t.ok(answer.remove.includes('x-ratelimit-limit-tokens'), "the provider's go");
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  const choices = [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }];
  exchange.responseChunk(Buffer.from(JSON.stringify({ model: 'small', choices, usage })), true);
  exchange.closed();
  t.same(limiter.settled, [
    ['request-1', { requests: 1, input_tokens: 3, output_tokens: 2, tokens: 5, cost: 3 * 1000 + 2 * 2000 }],
  ]);
  t.same(parts.finals[0]?.limits, ['budget|cost|total|@0']);
});

t.test('a refusal is the answer, and nothing is held', async (t) => {
  const refusal = {
    code: 'insufficient_quota',
    message: 'The limit "budget" is used up.',
    headers: { 'retry-after': '9' },
    limit: 'budget',
  } as const;
  const limiter = new SampleLimiter({ verdicts: [{ kind: 'refused', refusal }] });
  const { parts, reply } = run(limiter);
  t.same(errorOf(reply), { status: 429, code: 'insufficient_quota', message: refusal.message });
  t.match(reply?.kind === 'refuse' ? Object.fromEntries(reply.headers) : {}, {
    'retry-after': '9',
    'x-should-retry': 'false',
  });
  t.same(parts.holds, [], 'no hold in the ledger');
  t.match(parts.finals[0], { type: 'refusal', model: 'smart', status: 429, target: null, cost_nano_usd: 0 });
  t.same(limiter.settled, []);
});

t.test('another model instead', async (t) => {
  const limiter = new SampleLimiter({ verdicts: [{ kind: 'use', model: 'single', limit: 'budget' }] });
  const { parts, reply } = run(limiter);
  t.equal(reply?.kind, 'continue');
  t.same(
    limiter.asked.map((ask) => ask.without),
    [[], ['budget']],
  );
  t.match(parts.holds[0], { model: 'smart', route: 'limit budget', targets: ['a/small'] });
});

t.test('routes come before limits', async (t) => {
  const isFree = (subject: Subject): boolean => subject.request.metadata['tier'] === 'free';
  const when: Condition = { source: '', limits: [], equalities: [], matches: isFree };
  const snapshot = sampleSnapshot({ routes: [{ name: '0', when, model: 'single' }] });
  const routed = (tier: string) => {
    const parts = new SampleParts(snapshot);
    run(NO_LIMITS, { parts, headers: { 'x-tollgate-metadata': JSON.stringify({ tier }) } });
    return parts.holds[0];
  };
  t.match(routed('free'), { model: 'smart', route: 'route 0', targets: ['a/small'] });
  t.match(routed('paid'), { model: 'smart', route: null });
});

t.test('case 69: an unknown price', async (t) => {
  const snapshot = sampleSnapshot({ prices: [] });
  const of = (covering: Covering) => {
    const limiter = new SampleLimiter({ covering });
    return { limiter, ...run(limiter, { parts: new SampleParts(snapshot, '7', limiter) }) };
  };
  t.match(errorOf(of(COST).reply), { status: 403, code: 'unpriced_model', message: /a\/small/ });
  const soft = of({ ...COST, hardCost: false });
  t.equal(soft.reply?.kind, 'continue', 'a limit that only watches refuses nothing');
  t.equal(soft.limiter.asked[0]?.amounts.cost, 0);
  const cost = { max: 5n, window: { kind: 'total' }, sliding: false } as const;
  const use: LimitVerdict = { kind: 'use', model: 'a/own', limit: 'budget' };
  const rules = [{ ...RULE, cost, action: { kind: 'use', model: 'a/own' } }] as const;
  const prices = sampleSnapshot().prices.flatMap((price) =>
    ['a/small', 'b/large'].map((model) => ({ ...price, model })),
  );
  const limiter = new SampleLimiter({ covering: { ...COST, rules }, verdicts: [use] });
  const { parts } = run(limiter, { parts: new SampleParts(sampleSnapshot({ prices }), '7', limiter) });
  t.match(parts.holds[0], { route: 'limit budget', targets: ['a/own'] }, 'what is used instead needs no price');
});

t.test('who leaves while the store is asked gets everything back', async (t) => {
  const limiter = new SampleLimiter({ waits: true });
  const { exchange, parts, reply } = run(limiter);
  t.equal(reply, null);
  exchange.closed();
  limiter.later?.();
  t.same(limiter.settled, [['request-1', ZERO]]);
  t.same(parts.holds, []);
});

t.test('a ledger that cannot be written gives everything back', async (t) => {
  const limiter = new SampleLimiter();
  const parts = new SampleParts(sampleSnapshot(), '7', limiter);
  parts.mode = 'disk_full';
  const { reply } = run(limiter, { parts });
  t.match(errorOf(reply), { status: 503, code: 'ledger_unavailable' });
  t.same(limiter.settled, [['request-1', ZERO]]);
});

t.test('conditions never see a key', async (t) => {
  const limiter = new SampleLimiter();
  run(limiter, { headers: { 'x-team': 'a', cookie: 'c' } });
  const subject = limiter.subjects[0];
  t.equal(subject?.request.header('x-team'), 'a');
  for (const name of ['authorization', 'x-api-key', 'cookie']) t.equal(subject?.request.header(name), undefined, name);
  t.ok((subject?.request.inputTokens() ?? 0) > 0);
});

t.test('the input is counted where that makes a difference', async (t) => {
  const window = { kind: 'duration', ms: 60_000 } as const;
  const tokens = (of: 'total' | 'input') => ({ max: 10n ** 9n, window, sliding: false, of });
  const covering = (of: 'total' | 'input'): Covering => ({
    rules: [{ ...RULE, tokens: tokens(of) }],
    countsTokens: true,
    countsCost: false,
    hardCost: false,
  });
  const body = (max_tokens: number) =>
    Buffer.from(
      JSON.stringify({ model: 'b/large', max_tokens, messages: [{ role: 'user', content: 'x'.repeat(100) }] }),
    );
  const ask = (of: 'total' | 'input', max_tokens: number) => {
    const limiter = new SampleLimiter({ covering: covering(of) });
    const { parts } = run(limiter, { body: body(max_tokens) });
    return { held: limiter.asked[0]?.amounts.input_tokens, counted: parts.holds[0]?.input_estimate };
  };
  const bytes = body(4000).length;
  t.same(ask('total', 4000), { held: bytes, counted: undefined }, 'the answer may be far longer: bounded by its bytes');
  const counted = ask('total', 10);
  t.type(counted.counted, 'number');
  t.ok((counted.held ?? 0) < body(10).length);
  t.type(ask('input', 4000).counted, 'number', 'a limit of input alone');
});
