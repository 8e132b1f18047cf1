import { compileGlob } from '../config/glob.js';
import type { Discount } from '../config/money-rules.js';
import type { PriceOverride, Target } from '../config/snapshot.js';
import { type TokenClass, UNIT_CLASSES, type UnitClass } from '../dialects/usage.js';
import { createCatalogue } from './catalogue.js';
import { createDiscounts } from './discounts.js';
import { decimalToScaled, type Share } from './exact.js';
import type { Price, Rate, UnitPrice } from './price.js';
import { tiersOf } from './service-tiers.js';

/** Prices by target and moment. */
export interface PriceBook {
  /**
   * The price of a target at `atMs` (epoch milliseconds) for a key with these labels; null = unknown, which is never the same
   * as free. Without labels only discounts for every key apply, so the price is never too low for one of them.
   */
  find(target: Target, atMs: number, labels?: Readonly<Record<string, string>>): Price | null;
}

export interface PriceBookOptions {
  /** `prices` of the configuration; the first that matches wins, before the catalogue. */
  readonly overrides: readonly PriceOverride[];
  /** Catalogue id of each configured provider; null or missing = never listed there. */
  readonly priceIds: ReadonlyMap<string, string | null>;
  /** `discounts` of the configuration: off the price that was found, wherever it comes from. */
  readonly discounts?: readonly Discount[];
}

/** Builds the book of one snapshot. Lookups are cached, so asking for each request is cheap. */
export function createPriceBook(options: PriceBookOptions): PriceBook {
  const overrides = options.overrides.map((override) => compileOverride(override));
  const catalogue = createCatalogue();
  const discounted = createDiscounts(options.discounts ?? []);
  const listed = (target: Target, atMs: number): Price | null => {
    const priceId = options.priceIds.get(target.provider) ?? null;
    for (const override of overrides) {
      if (override.matches(target.name, atMs)) return override.priceFor(priceId);
    }
    return priceId === null ? null : catalogue.find(priceId, target.model, atMs);
  };
  return {
    find(target, atMs, labels) {
      const price = listed(target, atMs);
      return price === null ? null : discounted(price, { target: target.name, atMs, labels });
    },
  };
}

interface CompiledOverride {
  matches(name: string, atMs: number): boolean;
  /** The tiers are the provider's own, whoever said the price. */
  priceFor(priceId: string | null): Price;
}

function compileOverride(override: PriceOverride): CompiledOverride {
  const covers = compileGlob(override.model);
  const { from, until } = override;
  const known = new Map<string | null, Price>();
  return {
    matches: (name, atMs) => covers(name) && (from === null || atMs >= from) && (until === null || atMs < until),
    priceFor(priceId) {
      let price = known.get(priceId);
      if (price === undefined) {
        price = overridePrice(override, tiersOf(priceId));
        known.set(priceId, price);
      }
      return price;
    },
  };
}

function overridePrice(override: PriceOverride, tiers: Readonly<Record<string, Share>>): Price {
  const given: Readonly<Partial<Record<TokenClass, number | null>>> = {
    input: override.input,
    output: override.output,
    cache_read: override.cacheRead,
    cache_write_5m: override.cacheWrite,
    cache_write_1h: override.cacheWrite,
    input_audio: override.inputAudio,
    output_audio: override.outputAudio,
    input_image: override.inputImage,
    reasoning: override.reasoning,
  };
  const rates: Partial<Record<TokenClass, Rate>> = {};
  for (const [name, dollars] of Object.entries(given)) {
    if (dollars !== null) rates[name as TokenClass] = { base: decimalToScaled(dollars), steps: [] };
  }
  return {
    version: 'config',
    rates,
    units: unitPrices(override),
    request: override.request > 0 ? { price: decimalToScaled(override.request), per: 1n } : null,
    tiers,
    contextWindow: null,
  };
}

/** Units are free only where tokens are: a price list that says nothing about units does not give them away. */
function unitPrices({ unit, input, output }: PriceOverride): Price['units'] {
  if (unit === 0 && (input > 0 || output > 0)) return {};
  const each: UnitPrice = { price: decimalToScaled(unit), per: 1n };
  const units: Partial<Record<UnitClass, UnitPrice>> = {};
  for (const name of UNIT_CLASSES) units[name] = each;
  return units;
}
