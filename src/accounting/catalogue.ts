import { calcPrice, type ModelPrice, type TieredPrices } from '@pydantic/genai-prices';
import { LRUCache } from 'lru-cache';
import type { TokenClass, UnitClass } from '../dialects/usage.js';
import { decimalToScaled } from './exact.js';
import type { Price, Rate, UnitPrice } from './price.js';
import { tiersOf } from './service-tiers.js';

/** Version of the price package; a test compares it with what is installed. */
export const CATALOGUE_VERSION = '0.1.8';

const DAY_MS = 86_400_000;

/** Our classes and the catalogue's price for each. Prices per million tokens. */
const CLASS_KEYS: readonly (readonly [TokenClass, string])[] = [
  ['input', 'input_mtok'],
  ['cache_read', 'cache_read_mtok'],
  ['cache_write_5m', 'cache_write_mtok'],
  ['cache_write_1h', 'cache_write_1h_mtok'],
  ['input_audio', 'input_audio_mtok'],
  ['input_image', 'input_image_mtok'],
  ['output', 'output_mtok'],
  ['reasoning', 'output_reasoning_mtok'],
  ['output_audio', 'output_audio_mtok'],
];

/** Units, the catalogue's price for each, and how many units that price is for. First one listed wins. */
const UNIT_KEYS: readonly (readonly [UnitClass, string, bigint])[] = [
  ['audio_seconds', 'audio_hours', 3_600n],
  ['audio_seconds', 'input_audio_hours', 3_600n],
  ['search_units', 'web_searches_kcount', 1_000n],
];

export interface Catalogue {
  /** Price of `model` at the provider known as `priceId` there; null = not listed. */
  find(priceId: string, model: string, atMs: number): Price | null;
}

/**
 * Prices from the `@pydantic/genai-prices` package by date. Matching a name costs tens of microseconds, so answers are kept by
 * provider, model and UTC day: dated prices change at midnight. The few with a time of day are asked for anew.
 */
export function createCatalogue(): Catalogue {
  const cache = new LRUCache<string, { readonly price: Price | null }>({ max: 5_000 });
  return {
    find(priceId, model, atMs) {
      const key = `${Math.floor(atMs / DAY_MS)} ${priceId} ${model}`;
      const known = cache.get(key);
      if (known) return known.price;
      const { price, cacheable } = lookUp(priceId, model, atMs);
      if (cacheable) cache.set(key, { price });
      return price;
    },
  };
}

function lookUp(priceId: string, model: string, atMs: number): { price: Price | null; cacheable: boolean } {
  const found = ask(priceId, model, atMs);
  if (!found) return { price: null, cacheable: true };
  const { prices, context_window: window } = found.model;
  const cacheable = !Array.isArray(prices) || prices.every((one) => one.constraint?.type !== 'time_of_date');
  const day = new Date(atMs).toISOString().slice(0, 10);
  const known = {
    version: `genai-prices-${CATALOGUE_VERSION}@${day}`,
    tiers: tiersOf(priceId),
    contextWindow: window ?? null,
  };
  return { price: toPrice(found.model_price, known), cacheable };
}

/** The package throws on data that it finds inconsistent; for us such a price is unknown. */
function ask(priceId: string, model: string, atMs: number) {
  try {
    return calcPrice({}, model, { providerId: priceId, timestamp: new Date(atMs) });
  } catch {
    return null;
  }
}

function toPrice(listed: ModelPrice, known: Pick<Price, 'version' | 'tiers' | 'contextWindow'>): Price | null {
  const rates: Partial<Record<TokenClass, Rate>> = {};
  for (const [name, key] of CLASS_KEYS) {
    const rate = toRate(listed[key]);
    if (rate) rates[name] = rate;
  }
  const units: Partial<Record<UnitClass, UnitPrice>> = {};
  for (const [name, key, per] of UNIT_KEYS) {
    const unit = toUnitPrice(listed[key], per);
    if (unit && !units[name]) units[name] = unit;
  }
  const request = toUnitPrice(listed['requests_kcount'], 1_000n);
  const priced = rates.input || rates.output || units.audio_seconds || request !== null;
  return priced ? { ...known, rates, units, request } : null;
}

function toUnitPrice(listed: number | TieredPrices | undefined, per: bigint): UnitPrice | null {
  return typeof listed === 'number' ? { price: decimalToScaled(listed), per } : null;
}

function toRate(listed: number | TieredPrices | undefined): Rate | null {
  if (listed === undefined) return null;
  if (typeof listed === 'number') return { base: decimalToScaled(listed), steps: [] };
  const steps = listed.tiers.map((tier) => ({ above: tier.start, price: decimalToScaled(tier.price) }));
  return { base: decimalToScaled(listed.base), steps: steps.sort((left, right) => left.above - right.above) };
}
