import type { Target } from '../../config/snapshot.js';
import type { Breaker } from './breaker.js';

/**
 * Healthy targets keep their places, and so does the first one that is due for a trial, which is reserved by this; one
 * request tries at most one doubtful target before the good ones. The rest follows, soonest due first.
 */
export function orderTargets<T extends Target>(
  targets: readonly T[],
  breakersOf: (target: Target) => readonly Breaker[],
  now: number,
): readonly T[] {
  // Nothing to choose: the attempt itself becomes the trial when it starts.
  if (targets.length < 2) return targets;
  const kept: T[] = [];
  const unhealthy: { readonly target: T; readonly until: number }[] = [];
  let trialGiven = false;
  for (const target of targets) {
    const doubtful = breakersOf(target).filter((breaker) => breaker.state(now) !== 'closed');
    const isTrial = !trialGiven && doubtful.every((breaker) => breaker.mayTry(now));
    if (doubtful.length === 0) kept.push(target);
    else if (isTrial) {
      for (const breaker of doubtful) breaker.reserve(now);
      trialGiven = true;
      kept.push(target);
    } else unhealthy.push({ target, until: Math.max(...doubtful.map((breaker) => breaker.until)) });
  }
  if (unhealthy.length === 0) return targets;
  unhealthy.sort((one, other) => one.until - other.until);
  return [...kept, ...unhealthy.map(({ target }) => target)];
}
