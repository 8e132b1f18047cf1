import { LRUCache } from 'lru-cache';
import type { FinalEntry } from './ledger/entry.js';

/** A target whose requests could not be priced. Times are ISO 8601 UTC, as in the entries. */
export interface UnpricedModel {
  readonly target: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** Clients may ask for any name of a provider, so the list is bounded: what was not seen for longest goes first. */
const MOST_TARGETS = 1_000;

/** Remembers which targets were used without a known price, so that somebody can add it. */
export class UnpricedModels {
  readonly #seen = new LRUCache<string, UnpricedModel>({ max: MOST_TARGETS });

  /** Takes every finished request. True: the first of its target, worth a word. */
  add(entry: FinalEntry): boolean {
    const { target, usage, time } = entry;
    if (entry.usage_source === null || entry.cost_nano_usd !== null || target === null) return false;
    const known = this.#seen.get(target);
    const input =
      (usage.input ?? 0) + (usage.cache_read ?? 0) + (usage.cache_write_5m ?? 0) + (usage.cache_write_1h ?? 0);
    const sound = (usage.input_audio ?? 0) + (usage.input_image ?? 0);
    const output = (usage.output ?? 0) + (usage.reasoning ?? 0) + (usage.output_audio ?? 0);
    this.#seen.set(target, {
      target,
      first_seen: known === undefined || time < known.first_seen ? time : known.first_seen,
      last_seen: known === undefined || time > known.last_seen ? time : known.last_seen,
      requests: (known?.requests ?? 0) + 1,
      input_tokens: (known?.input_tokens ?? 0) + input + sound,
      output_tokens: (known?.output_tokens ?? 0) + output,
    });
    return known === undefined;
  }

  /** Most requests first. */
  list(): readonly UnpricedModel[] {
    return [...this.#seen.values()].sort(
      (left, right) => right.requests - left.requests || (left.target < right.target ? -1 : 1),
    );
  }
}
