import type { Retry, Target } from '../config/snapshot.js';

/**
 * Target of each attempt: the list in order, then from its start again (a, b, a).
 * Tries in all default to max(2, number of targets).
 */
export function attemptPlan(targets: readonly Target[], retry: Retry): readonly Target[] {
  const attempts = retry.attempts ?? Math.max(2, targets.length);
  const plan: Target[] = [];
  for (let number = 0; number < attempts; number += 1) {
    const target = targets[number % targets.length];
    if (target) plan.push(target);
  }
  return plan;
}

/** Pause before a repeat of the very same target; moving to another one never waits. */
const REPEAT_WAIT_MS = 100;

/** Milliseconds that attempt `number` (from 1) waits. */
export function waitBefore(plan: readonly Target[], number: number): number {
  return plan[number - 1]?.name === plan[number - 2]?.name ? REPEAT_WAIT_MS : 0;
}
