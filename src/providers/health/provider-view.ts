import type { Entries, TargetEntry } from './entries.js';
import type { HealthWord, ProviderView, TargetView } from './health.js';

/** What people look at reaches further back than what breakers decide by. */
const VIEW_MS = 300_000;
/** Share of failures from which a provider is called degraded, with all its breakers closed. */
const DEGRADED_RATE = 0.2;

/**
 * One provider for the admin API and metrics. `ejected`: its breaker is open, or those of all its known targets;
 * `degraded`: something is open or half-open, or a fifth of the attempts fails; `unknown`: nothing heard for 5 minutes.
 */
export function viewProvider(entries: Entries, provider: string, now: number): ProviderView {
  const entry = entries.findProvider(provider);
  const targets = entries.targetsOf(provider).map((target) => viewTarget(target, now));
  if (entry === undefined) return { health: 'unknown', ejectedUntil: null, errorRate: null, targets };
  const state = entry.breaker.state(now);
  const ejectedUntil = state === 'open' ? entry.breaker.until : allOpenUntil(targets);
  const errorRate = entry.window.errorRate(now, VIEW_MS);
  const isTroubled = state !== 'closed' || targets.some((target) => target.state !== 'closed');
  const isSilent = now - Math.max(entry.window.newest, entry.probedAt) >= VIEW_MS;
  let health: HealthWord = 'healthy';
  if (ejectedUntil !== null) health = 'ejected';
  else if (isSilent) health = 'unknown';
  else if (isTroubled || (errorRate ?? 0) >= DEGRADED_RATE) health = 'degraded';
  return { health, ejectedUntil, errorRate, targets };
}

function viewTarget(entry: TargetEntry, now: number): TargetView {
  const state = entry.breaker.state(now);
  return {
    target: entry.name,
    state,
    until: state === 'open' ? entry.breaker.until : null,
    errorRate: entry.window.errorRate(now, VIEW_MS),
    firstTokenMs: entry.latency.firstTokenMs,
  };
}

/** When the first of them may be tried again, if none may now; null otherwise. */
function allOpenUntil(targets: readonly TargetView[]): number | null {
  if (targets.length === 0) return null;
  let soonest = Number.POSITIVE_INFINITY;
  for (const { until } of targets) {
    if (until === null) return null;
    soonest = Math.min(soonest, until);
  }
  return soonest;
}
