import type { Target } from '../../config/snapshot.js';
import { Entries, type ProviderEntry } from './entries.js';
import type { Failure, FailureKind, Health } from './health.js';
import { orderTargets } from './order-targets.js';
import { viewProvider } from './provider-view.js';
import { HEALTH_RULES, type HealthRules, PROBE_POINTS, PROVIDER_POINTS, TARGET_POINTS } from './rules.js';

/**
 * Health of targets and providers, in memory, O(1) per event. A target opens by what it asks for (`cooldownMs`), by
 * failures in a row or by the ratio in its window (`rules.ts`). A provider opens by connection failures, refused
 * credentials, or when a second of its targets opens while none of them served anything in between. Both are closed
 * again by one good attempt, of which there is one at a time after each cooldown.
 */
export function createHealth(options: Partial<HealthRules> = {}): Health {
  const rules: HealthRules = { ...HEALTH_RULES, ...options };
  const entries = new Entries(rules);
  // `latency` is asked without a time; the newest event is near enough.
  let newest = 0;
  return {
    attemptStarted(target, now) {
      newest = now;
      for (const breaker of entries.breakersOf(target)) breaker.started(now);
    },
    attemptFailed(target, failure, now) {
      newest = now;
      recordFailure(entries, rules, { target, failure, now });
    },
    attemptSucceeded(target, firstTokenMs, now, startedAt) {
      newest = now;
      const entry = entries.target(target);
      const provider = entries.provider(target.provider);
      entry.window.add(false, now);
      provider.window.add(false, now);
      entry.latency.succeeded(firstTokenMs, now);
      entry.breaker.succeeded(now, startedAt ?? null);
      provider.breaker.succeeded(now, startedAt ?? null);
      provider.opened = null;
    },
    attemptAbandoned(target) {
      for (const breaker of entries.breakersOf(target)) breaker.abandoned();
    },
    probed(provider, failure, now) {
      newest = now;
      recordProbe(entries.provider(provider), failure, now);
    },
    order: (targets, now) => orderTargets(targets, (target) => entries.breakersOf(target), now),
    view: (provider, now) => viewProvider(entries, provider, now),
    latency: (target) => entries.findTarget(target.name)?.latency.score(newest) ?? null,
  };
}

interface FailedAttempt {
  readonly target: Target;
  readonly failure: Failure;
  readonly now: number;
}

function recordFailure(entries: Entries, rules: HealthRules, { target, failure, now }: FailedAttempt): void {
  const entry = entries.target(target);
  const provider = entries.provider(target.provider);
  entry.window.add(true, now);
  provider.window.add(true, now);
  entry.latency.failed();
  const startedAt = failure.startedAt ?? null;
  // What was before the last opening or closing has had its effect.
  const { all, failed } = entry.window.count(now, Math.min(rules.windowMs, now - entry.breaker.changedAt));
  const tooMany = all >= rules.leastOutcomes && failed / all >= rules.openRatio;
  const statedMs = failure.cooldownMs === null ? null : Math.min(failure.cooldownMs, rules.longestCooldownMs);
  const opened = entry.breaker.failed({ points: TARGET_POINTS[failure.kind], statedMs, tooMany, startedAt }, now);
  const points = PROVIDER_POINTS[failure.kind] ?? 0;
  provider.breaker.failed({ points, statedMs: null, tooMany: false, startedAt }, now);
  if (opened) targetOpened(provider, rules, { target, failure, now });
}

/** The second one within the window, with nothing served in between: it is not the models, it is the provider. */
function targetOpened(provider: ProviderEntry, rules: HealthRules, { target, now }: FailedAttempt): void {
  const before = provider.opened;
  provider.opened = { name: target.name, at: now };
  if (before === null || before.name === target.name || now - before.at >= rules.windowMs) return;
  if (provider.breaker.state(now) !== 'open') provider.breaker.open(rules.cooldownMs, now);
}

/** A good probe says that the account is reachable and its credentials are valid; about models it says nothing. */
function recordProbe(provider: ProviderEntry, failure: FailureKind | null, now: number): void {
  provider.probedAt = now;
  if (failure === null) provider.breaker.succeeded(now, now);
  else {
    const points = PROBE_POINTS[failure] ?? 0;
    provider.breaker.failed({ points, statedMs: null, tooMany: false, startedAt: now }, now);
  }
}
