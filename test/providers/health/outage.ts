import type { Target } from '../../../src/config/snapshot.js';
import type { FailureKind, Health } from '../../../src/providers/health/health.js';

export interface Outage {
  readonly kind: FailureKind;
  /** Milliseconds until an attempt at the dead target has failed. */
  readonly failsAfter: number;
  readonly from: number;
  readonly until: number;
  readonly end: number;
  readonly parallel: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Share of requests whose client leaves before the attempt ends. */
  readonly leaving: number;
}

export interface Call {
  readonly target: string;
  readonly startedAt: number;
  readonly outcome: 'served' | 'failed' | 'left';
}

/** So many requests at once, each after the other, on a clock of its own; the first target is dead for a while. */
export function simulateOutage(health: Health, targets: readonly Target[], outage: Outage): readonly Call[] {
  const calls: Call[] = [];
  const queue = new Map<number, (() => void)[]>();
  const at = (time: number, action: () => void): void => {
    queue.set(time, [...(queue.get(time) ?? []), action]);
  };
  let now = 0;
  const request = (): void => attempt(health.order(targets, now));
  const attempt = ([target, ...rest]: readonly Target[]): void => {
    if (target === undefined) {
      request();
      return;
    }
    const startedAt = now;
    const isDead = target === targets[0] && now >= outage.from && now < outage.until;
    const ms = isDead ? outage.failsAfter : 100 + Math.floor(400 * outage.random());
    const isLeft = outage.random() < outage.leaving;
    health.attemptStarted(target, now);
    at(now + (isLeft ? Math.ceil(ms / 2) : ms), () => {
      calls.push({ target: target.name, startedAt, outcome: isLeft ? 'left' : isDead ? 'failed' : 'served' });
      if (isLeft) health.attemptAbandoned(target, now);
      else if (isDead) health.attemptFailed(target, { kind: outage.kind, cooldownMs: null, startedAt }, now);
      else health.attemptSucceeded(target, ms, now, startedAt);
      if (isDead && !isLeft) attempt(rest);
      else request();
    });
  };
  for (let client = 0; client < outage.parallel; client += 1) at(client, request);
  for (; now < outage.end; now += 1) {
    for (const action of queue.get(now) ?? []) action();
    queue.delete(now);
  }
  return calls;
}
