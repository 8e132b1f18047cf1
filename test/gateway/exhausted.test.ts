import t from 'tap';
import { mostUseful, onlyError } from '../../src/gateway/exhausted.js';
import { attemptPlan, largerWindows, waitBefore } from '../../src/gateway/plan.js';
import { retryReasons } from '../../src/gateway/retry-reasons.js';
import type { FailedAttempt, Failure } from '../../src/gateway/state.js';
import { RETRY, RETRY_ON } from '../sample-retry.js';
import { target } from './sample-parts.js';

const failure = (reason: string | null, cooldownMs: number | null = null): Failure => ({ reason, cooldownMs });

/** Each failure at a target of its own. */
const apart = (...failures: readonly Failure[]): FailedAttempt[] =>
  failures.map((each, at) => ({ ...each, target: `p${at}/m` }));

t.test('what the client reads when all have failed', async (t) => {
  const cases: readonly [readonly (string | null)[], string | null][] = [
    [[], null],
    [['500'], null],
    [['429', '429'], 'provider_rate_limited'],
    [['timeout', 'first_token'], 'upstream_timeout'],
    [['connect', 'reset', null], 'upstream_unavailable'],
    [['connect', 'timeout'], 'upstream_unavailable'],
    [['context_length', '400'], null],
    [['context_length', '429'], 'provider_error'],
    [['500', 'connect'], 'provider_error'],
    [['429', 'timeout'], 'provider_error'],
    [['auth', 'auth'], 'provider_error'],
    [['empty', 'error_event'], 'provider_error'],
  ];
  for (const [reasons, code] of cases) {
    t.equal(mostUseful(apart(...reasons.map((reason) => failure(reason))))?.code ?? null, code, reasons.join());
  }
  const [twice] = apart(failure('500'));
  if (twice) t.equal(mostUseful([twice, twice]), null, 'one target, asked twice: its own last words');
  const limited = mostUseful(apart(failure('429', 7001), failure('429', 90_000), failure('429')));
  t.equal(limited?.headers['retry-after'], '8', 'the soonest, rounded up');
  t.equal(mostUseful(apart(failure('429'), failure('429')))?.headers['retry-after'], '1');
  const alone: readonly [string | null, string][] = [
    ['429', 'provider_rate_limited'],
    ['first_token', 'upstream_timeout'],
    ['auth', 'provider_auth'],
    [null, 'upstream_unavailable'],
    ['500', 'provider_error'],
  ];
  for (const [reason, code] of alone) t.equal(onlyError([failure(reason)]).code, code, String(reason));
});

t.test('plan', async (t) => {
  const [a, b, c] = [target('a/1', RETRY, 10), target('b/2', RETRY, 100), target('c/3')];
  const names = (targets: readonly { readonly name: string }[] | null) => targets?.map((entry) => entry.name) ?? null;
  t.same(names(attemptPlan([a], RETRY)), ['a/1', 'a/1'], 'at least two tries');
  t.same(names(attemptPlan([a, b, c], RETRY)), ['a/1', 'b/2', 'c/3']);
  t.same(names(attemptPlan([a, b], { ...RETRY, attempts: 5 })), ['a/1', 'b/2', 'a/1', 'b/2', 'a/1']);
  t.same(names(attemptPlan([a, b], { ...RETRY, attempts: 1 })), ['a/1']);
  t.equal(waitBefore([a, a], 2), 100);
  t.equal(waitBefore([a, b], 2), 0);
  const windowOf = (entry: typeof a) => entry.contextWindow;
  t.same(names(largerWindows([a, c, b], 1, windowOf)), ['a/1', 'b/2'], 'an unknown window is no larger one');
  t.equal(largerWindows([b, a, b], 1, windowOf), null);
});

t.test("reasons in Envoy's words", async (t) => {
  const words = (elsewhere: boolean, on = RETRY_ON) => new Map(retryReasons(on, elsewhere));
  t.match(words(true).get('x-envoy-retry-on'), /connect-failure.*refused-stream.*reset.*5xx.*retriable-status-codes/);
  t.match(words(true).get('x-envoy-retriable-status-codes'), '429');
  t.notMatch(words(false).get('x-envoy-retriable-status-codes'), '429', 'nobody else is there');
  const none = { ...RETRY_ON, statuses: new Set<number>(), connect: false, reset: false, timeout: false };
  t.match(words(true, none).get('x-envoy-retriable-status-codes'), '503', 'a look may ask for the next');
});
