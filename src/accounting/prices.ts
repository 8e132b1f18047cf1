import type { PriceOverride, Target } from '../config/snapshot.js';
import { createCatalogue } from './catalogue.js';
import { decimalToScaled } from './exact.js';
import type { Price, Rate, TokenClass } from './price.js';

/** Prices by target and moment. */
export interface PriceBook {
  /** The price of a target at `atMs` (epoch milliseconds); null = unknown, which is never the same as free. */
  find(target: Target, atMs: number): Price | null;
}

export interface PriceBookOptions {
  /** `prices` of the configuration; the first that matches wins, before the catalogue. */
  readonly overrides: readonly PriceOverride[];
  /** Catalogue id of each configured provider; null or missing = never listed there. */
  readonly priceIds: ReadonlyMap<string, string | null>;
}

/** Builds the book of one snapshot. Lookups are cached, so asking for each request is cheap. */
export function createPriceBook(options: PriceBookOptions): PriceBook {
  const overrides = options.overrides.map(compileOverride);
  const catalogue = createCatalogue();
  return {
    find(target, atMs) {
      for (const override of overrides) {
        if (override.matches(target.name, atMs)) return override.price;
      }
      const priceId = options.priceIds.get(target.provider) ?? null;
      return priceId === null ? null : catalogue.find(priceId, target.model, atMs);
    },
  };
}

interface CompiledOverride {
  readonly price: Price;
  matches(name: string, atMs: number): boolean;
}

function compileOverride(override: PriceOverride): CompiledOverride {
  const pattern = globToPattern(override.model);
  const { from, until } = override;
  return {
    price: overridePrice(override),
    matches: (name, atMs) => pattern.test(name) && (from === null || atMs >= from) && (until === null || atMs < until),
  };
}

function overridePrice(override: PriceOverride): Price {
  const rates: Partial<Record<TokenClass, Rate>> = {
    input: flatRate(override.input),
    output: flatRate(override.output),
  };
  if (override.cacheRead !== null) rates.cache_read = flatRate(override.cacheRead);
  if (override.cacheWrite !== null) {
    rates.cache_write_5m = flatRate(override.cacheWrite);
    rates.cache_write_1h = flatRate(override.cacheWrite);
  }
  return {
    version: 'config',
    rates,
    request: override.request > 0 ? decimalToScaled(override.request) : null,
    contextWindow: null,
  };
}

function flatRate(dollarsPerMillion: number): Rate {
  return { base: decimalToScaled(dollarsPerMillion), steps: [] };
}

/** `*` spans `/`, as in a key's `models`. */
function globToPattern(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
