import type { ModelTarget, Retry } from '../config/snapshot.js';

/**
 * Target of each attempt: the list in order, then from its start again (a, b, a).
 * Tries in all default to max(2, number of targets).
 */
export function attemptPlan(targets: readonly ModelTarget[], retry: Retry): readonly ModelTarget[] {
  const attempts = retry.attempts ?? Math.max(2, targets.length);
  if (targets.length === 0) return targets;
  let plan = targets;
  while (plan.length < attempts) plan = plan.concat(targets);
  return plan.length === attempts ? plan : plan.slice(0, attempts);
}

/** Pause before a repeat of the very same target; moving to another one never waits. */
const REPEAT_WAIT_MS = 100;

/** Milliseconds that attempt `number` (from 1) waits. */
export function waitBefore(plan: readonly ModelTarget[], number: number): number {
  return plan[number - 1]?.name === plan[number - 2]?.name ? REPEAT_WAIT_MS : 0;
}

/**
 * The plan after attempt `number` found the input too long: what was used stays, then only targets whose window is known
 * to be larger. Null when there is none.
 */
export function largerWindows(
  plan: readonly ModelTarget[],
  number: number,
  windowOf: (target: ModelTarget) => number | null,
) {
  const tried = plan[number - 1];
  const window = tried ? windowOf(tried) : null;
  const rest = plan.slice(number).filter((target) => {
    const other = windowOf(target);
    return other !== null && other > (window ?? 0) && target.name !== tried?.name;
  });
  return rest.length === 0 ? null : [...plan.slice(0, number), ...rest];
}
