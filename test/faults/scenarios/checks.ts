import type { Test } from 'tap';
import type { RequestRecord } from '../../e2e/harness.js';
import { accountName, modelName } from './names.js';
import { type Case, caseName, type Finished, type Outcome, type ShownError } from './scenario.js';

/** 7 tokens of input at 1 and 2 of output at 2 dollars per million. */
const PRICE_OF_ANSWER = 11_000;

/** What this very request should have come to: at many at once some never meet the first target. */
function outcomeOf({ case: each, record }: Finished): Outcome | ShownError {
  const { client } = each.scenario.expected;
  const wasLucky = each.parallel > 1 && record.attempts.at(-1)?.outcome === 'success';
  return wasLucky && client !== 'without-done' ? 'answer' : client;
}

/** Attempts, money and code. */
export function checkRecord(t: Test, finished: Finished): void {
  const { case: each, record } = finished;
  const name = caseName(each);
  const { expected } = each.scenario;
  const outcome = outcomeOf(finished);
  checkAttempts(t, each, record);
  const wholeAnswer = outcome === 'answer' || outcome === 'without-done';
  const last = record.attempts.at(-1);
  t.equal(last?.outcome, wholeAnswer ? 'success' : 'error', `${name}: outcome of the last attempt`);
  t.equal(
    record.attempts.slice(0, -1).every(({ outcome: each }) => each === 'error'),
    true,
    `${name}: the others failed`,
  );
  if (wholeAnswer) {
    t.match(
      record,
      { status: 200, code: null, target: last?.target, usage: { input: 7, output: 2 }, usage_source: 'provider' },
      name,
    );
    t.equal(record.cost_nano_usd, PRICE_OF_ANSWER, `${name}: only the answer is paid`);
  } else if (typeof outcome === 'string') {
    t.match(record, { status: 200, code: expected.code, target: last?.target }, name);
    t.match(record.usage_source ?? '', /^(estimated|mixed)$/, `${name}: what was seen is estimated`);
    t.ok((record.cost_nano_usd ?? 0) > 0, `${name}: what was seen is paid`);
  } else {
    t.match(record, { cost_nano_usd: 0, usage: {}, usage_source: null }, `${name}: nothing is paid`);
  }
}

/** Alone: exactly these. At once: each in its target's way, or not connected because Envoy or health put it aside. */
function checkAttempts(t: Test, each: Case, record: RequestRecord): void {
  const { attempts } = each.scenario.expected;
  const made = record.attempts.map(({ target, reason }) => [numberOf(each, target), reason] as const);
  if (each.parallel === 1) {
    const words = made.map(([number, reason], at) => [number, inTime(attempts[at]?.[1] ?? null, reason)] as const);
    t.same(words, attempts, `${caseName(each)}: attempts`);
    return;
  }
  for (const [number, reason] of made) {
    const ways = attempts.filter(([target]) => target === number).map(([, way]) => way);
    const isWell = ways.length === 0 && reason === null;
    const known = ways.some((way) => inTime(way, reason) === way);
    t.ok(isWell || known || reason === 'connect', `${caseName(each)}: target ${number}, ${reason}`);
  }
}

/**
 * A stream's headers may reach the service only after Envoy's clock ran out, on a busy machine: then "timeout" is all
 * that can be known of a missed first token.
 */
function inTime(expected: string | null, seen: string | null): string | null {
  return expected === 'first_token' && seen === 'timeout' ? expected : seen;
}

function numberOf(each: Case, target: string): number {
  return each.scenario.targets.findIndex((_, at) => target === `${accountName(each, at)}/${modelName(each, at)}`) + 1;
}

/** One clean answer of one target, or an honest error. */
export function checkClient(t: Test, finished: Finished): void {
  const { case: each, seen, record } = finished;
  const name = caseName(each);
  const outcome = outcomeOf(finished);
  t.equal(seen.headers['x-tollgate-attempts'] ?? String(record.attempts.length), String(record.attempts.length), name);
  if (typeof outcome !== 'string') {
    checkError(t, finished, outcome);
    return;
  }
  t.equal(seen.status, 200, name);
  t.equal(seen.complete, outcome !== 'cut', `${name}: ${outcome === 'cut' ? 'reset' : 'ended well'}`);
  const target = `t${numberOf(each, record.attempts.at(-1)?.target ?? '')}`;
  if (each.form === 'json') {
    if (outcome === 'answer')
      t.match(JSON.parse(seen.text), { choices: [{ message: { content: `${target} end` } }] }, name);
    return;
  }
  checkStream(t, finished, { outcome, target });
}

function checkStream(
  t: Test,
  { case: each, seen }: Finished,
  { outcome, target }: { outcome: Outcome; target: string },
): void {
  const name = caseName(each);
  const words = [...seen.text.matchAll(/"content":"([^"\n]*)"/g)].map(([, word]) => word).join('');
  t.equal(words, `${target} end`, `${name}: the words of one target`);
  t.equal(seen.text.split('data: [DONE]\n\n').length - 1, outcome === 'answer' ? 1 : 0, `${name}: [DONE]`);
  t.equal(/"error"/.test(seen.text), outcome === 'error-event', `${name}: error event`);
  t.notMatch(seen.text, /"usage":\{/, `${name}: usage was not asked for`);
}

function checkError(t: Test, { case: each, seen, record }: Finished, error: ShownError): void {
  const name = caseName(each);
  const also = each.parallel > 1 ? (each.scenario.expected.alsoAtOnce ?? []) : [];
  t.equal(seen.complete, true, name);
  t.equal(record.status, seen.status, `${name}: the record has the client's status`);
  const body = JSON.parse(seen.text) as { error: { message: string; type: string; code: string | null } };
  t.match(body, { error: { message: /\w/, type: /\w/ } }, `${name}: an error in the client's shape`);
  if (also.includes(seen.status)) return;
  t.equal(seen.status, error.status, name);
  t.equal(body.error.code, error.shownCode ?? error.code, name);
  t.equal(record.code, error.code, name);
  t.equal(seen.headers['retry-after'], error.retryAfter, `${name}: retry-after`);
}
