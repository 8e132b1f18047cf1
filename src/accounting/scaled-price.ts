import type { TokenClass, UnitClass } from '../dialects/usage.js';
import { partOf, type Share } from './exact.js';
import type { Price, Rate, UnitPrice } from './price.js';

/** A part of every rate of a price; `reason` goes into its version. Exact up to the twelfth decimal of a dollar. */
export function scaledPrice(price: Price, share: Share, reason: string): Price {
  const rates: Partial<Record<TokenClass, Rate>> = {};
  for (const [name, rate] of Object.entries(price.rates)) rates[name as TokenClass] = scaledRate(rate, share);
  const units: Partial<Record<UnitClass, UnitPrice>> = {};
  for (const [name, unit] of Object.entries(price.units)) units[name as UnitClass] = scaledUnit(unit, share);
  const request = price.request === null ? null : scaledUnit(price.request, share);
  return { ...price, version: `${price.version}+${reason}`, rates, units, request };
}

function scaledRate(rate: Rate, share: Share): Rate {
  const steps = rate.steps.map(({ above, price }) => ({ above, price: partOf(price, share) }));
  return { base: partOf(rate.base, share), steps };
}

function scaledUnit({ price, per }: UnitPrice, share: Share): UnitPrice {
  return { price: partOf(price, share), per };
}
