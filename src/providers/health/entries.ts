import { LRUCache } from 'lru-cache';
import type { Target } from '../../config/snapshot.js';
import { Breaker } from './breaker.js';
import { LatencyAverage } from './latency-average.js';
import { OutcomeWindow } from './outcome-window.js';
import type { HealthRules } from './rules.js';

const TARGET_OUTCOMES = 20;
const PROVIDER_OUTCOMES = 100;

export interface TargetEntry {
  readonly name: string;
  readonly provider: string;
  readonly breaker: Breaker;
  readonly window: OutcomeWindow;
  readonly latency: LatencyAverage;
}

export interface ProviderEntry {
  readonly breaker: Breaker;
  readonly window: OutcomeWindow;
  /** When a probe last got any answer or failure; -Infinity = never. */
  probedAt: number;
  /** The target that opened last, unless the provider has served anything since. */
  opened: { readonly name: string; readonly at: number } | null;
}

/** Everything that is remembered, the least recently used entries dropped first. */
export class Entries {
  readonly #rules: HealthRules;
  readonly #targets: LRUCache<string, TargetEntry>;
  readonly #providers: LRUCache<string, ProviderEntry>;

  constructor(rules: HealthRules) {
    this.#rules = rules;
    this.#targets = new LRUCache({ max: rules.mostTargets });
    this.#providers = new LRUCache({ max: rules.mostTargets });
  }

  /** Only what has an outcome is remembered: a look does not make an entry. */
  breakersOf(target: Target): readonly Breaker[] {
    const breakers: Breaker[] = [];
    for (const entry of [this.#providers.get(target.provider), this.#targets.get(target.name)]) {
      if (entry !== undefined) breakers.push(entry.breaker);
    }
    return breakers;
  }

  findTarget(name: string): TargetEntry | undefined {
    return this.#targets.get(name);
  }

  findProvider(name: string): ProviderEntry | undefined {
    return this.#providers.get(name);
  }

  target(target: Target): TargetEntry {
    const known = this.#targets.get(target.name);
    if (known !== undefined) return known;
    const entry: TargetEntry = {
      name: target.name,
      provider: target.provider,
      breaker: new Breaker(this.#rules),
      window: new OutcomeWindow(TARGET_OUTCOMES),
      latency: new LatencyAverage(),
    };
    this.#targets.set(target.name, entry);
    return entry;
  }

  provider(name: string): ProviderEntry {
    const known = this.#providers.get(name);
    if (known !== undefined) return known;
    const entry: ProviderEntry = {
      breaker: new Breaker(this.#rules),
      window: new OutcomeWindow(PROVIDER_OUTCOMES),
      probedAt: Number.NEGATIVE_INFINITY,
      opened: null,
    };
    this.#providers.set(name, entry);
    return entry;
  }

  /** Sorted by name. For people, not for the request path: it walks through everything. */
  targetsOf(provider: string): readonly TargetEntry[] {
    const found = [...this.#targets.values()].filter((entry) => entry.provider === provider);
    return found.sort((one, other) => (one.name < other.name ? -1 : 1));
  }
}
