import type { ModelTarget } from '../config/snapshot.js';
import { framingOf } from '../dialects/event-decoder.js';
import type { HeaderView } from './headers.js';
import type { Parts } from './parts.js';
import type { OpenAttempt, RequestState } from './state.js';
import { wayTo } from './way.js';

/** True when the answer of one of these targets may have to be written anew for the client. */
export function mayRewrite(parts: Parts, state: RequestState, plan: readonly ModelTarget[]): boolean {
  return plan.some((target) => {
    const way = wayTo(parts, state, target);
    // AWS frames the events of every dialect in its own way.
    return way !== null && (way.translation !== null || way.kind.identity === 'aws');
  });
}

/** True when this attempt's answer is in another dialect, or another framing, than the client's. */
export function rewrites(state: RequestState, attempt: OpenAttempt, headers: HeaderView): boolean {
  if (attempt.call !== null) return true;
  const framed = framingOf(headers.get('content-type') ?? '', false) === 'aws-event-stream';
  return framed && state.endpoint?.direct === undefined && attempt.wire === 'anthropic-messages';
}
