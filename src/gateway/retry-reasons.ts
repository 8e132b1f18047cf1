import type { RetryOn } from '../config/snapshot.js';
import type { HeaderPair } from './reply.js';

/** Statuses that a look turns into "try the next": always retriable where somebody looks. */
export const NEXT_STATUS = 503;

/**
 * `retry.on` in Envoy's words, for one request. A target that limits or refuses us is not asked again, so 429, 401 and 403
 * count only when there is another one. Connect failures, resets and timeouts of one try are one thing to Envoy ("reset").
 */
export function retryReasons(on: RetryOn, elsewhere: boolean): readonly HeaderPair[] {
  const known = WORDS[elsewhere ? 1 : 0];
  let words = known.get(on);
  if (!words) {
    words = inWords(on, elsewhere);
    known.set(on, words);
  }
  return words;
}

/** They are part of a snapshot, so each is put into words once: without and with another target. */
const WORDS = [new WeakMap<RetryOn, readonly HeaderPair[]>(), new WeakMap<RetryOn, readonly HeaderPair[]>()] as const;

function inWords(on: RetryOn, elsewhere: boolean): readonly HeaderPair[] {
  const reasons: string[] = [];
  if (on.connect) reasons.push('connect-failure', 'refused-stream');
  if (on.reset || on.timeout) reasons.push('reset');
  const statuses = [...on.statuses].filter(
    (status) => elsewhere || (status !== 429 && status !== 401 && status !== 403),
  );
  // Envoy's own word for all of them stands for broken connections and late answers too.
  const transport = on.connect && on.reset && on.timeout;
  const all5xx = transport && statuses.filter((status) => status >= 500).length === 100;
  if (all5xx) reasons.push('5xx');
  const codes = new Set(all5xx ? statuses.filter((status) => status < 500) : statuses);
  if (elsewhere && on.auth) codes.add(401).add(403);
  if (elsewhere && !all5xx) codes.add(NEXT_STATUS);
  if (codes.size > 0) reasons.push('retriable-status-codes');
  const headers: HeaderPair[] = [['x-envoy-retry-on', reasons.join(',')]];
  if (codes.size > 0) headers.push(['x-envoy-retriable-status-codes', [...codes].join(',')]);
  return headers;
}
