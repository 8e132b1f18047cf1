import { calcPrice, type ModelPrice, type TieredPrices } from '@pydantic/genai-prices';
import { LRUCache } from 'lru-cache';
import { decimalToScaled } from './exact.js';
import type { Price, Rate, TokenClass } from './price.js';

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
  return { price: toPrice(found.model_price, `genai-prices-${CATALOGUE_VERSION}@${day}`, window ?? null), cacheable };
}

/** The package throws on data that it finds inconsistent; for us such a price is unknown. */
function ask(priceId: string, model: string, atMs: number) {
  try {
    return calcPrice({}, model, { providerId: priceId, timestamp: new Date(atMs) });
  } catch {
    return null;
  }
}

function toPrice(listed: ModelPrice, version: string, contextWindow: number | null): Price | null {
  const rates: Partial<Record<TokenClass, Rate>> = {};
  for (const [name, key] of CLASS_KEYS) {
    const rate = toRate(listed[key]);
    if (rate) rates[name] = rate;
  }
  const perThousand = listed['requests_kcount'];
  const request = typeof perThousand === 'number' ? decimalToScaled(perThousand) / 1000n : null;
  const known = rates.input || rates.output || request !== null;
  return known ? { version, rates, request, contextWindow } : null;
}

function toRate(listed: number | TieredPrices | undefined): Rate | null {
  if (listed === undefined) return null;
  if (typeof listed === 'number') return { base: decimalToScaled(listed), steps: [] };
  const steps = listed.tiers.map((tier) => ({ above: tier.start, price: decimalToScaled(tier.price) }));
  return { base: decimalToScaled(listed.base), steps: steps.sort((left, right) => left.above - right.above) };
}
