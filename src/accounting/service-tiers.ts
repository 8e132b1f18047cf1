import type { Share } from './exact.js';
import type { Price } from './price.js';
import { scaledPrice } from './scaled-price.js';

const FULL: Share = { numerator: 1n, denominator: 1n };
const HALF: Share = { numerator: 1n, denominator: 2n };

/** What providers call the tier whose prices the catalogue lists. */
const STANDARD: ReadonlySet<string> = new Set(['', 'default', 'standard', 'auto', 'on_demand', 'on-demand']);

/**
 * Tiers whose price is published as a share of every rate per token, by the catalogue's provider id. Tiers with a price list of their
 * own (OpenAI's and Google's `priority`) and those paid for in advance (`scale`) have no such share: their price is unknown.
 * https://openai.com/api/pricing · https://docs.anthropic.com/en/docs/build-with-claude/batch-processing ·
 * https://ai.google.dev/gemini-api/docs/pricing · https://console.groq.com/docs/flex-processing
 */
const TIERS: Readonly<Record<string, Readonly<Record<string, Share>>>> = {
  openai: { batch: HALF, flex: HALF },
  azure: { batch: HALF },
  anthropic: { batch: HALF },
  google: { batch: HALF, flex: HALF },
  groq: { batch: HALF, flex: FULL },
  mistral: { batch: HALF },
};

const NONE: Readonly<Record<string, Share>> = {};

export function tiersOf(priceId: string | null): Readonly<Record<string, Share>> {
  return (priceId !== null && Object.hasOwn(TIERS, priceId) ? TIERS[priceId] : undefined) ?? NONE;
}

/** The tier as records show it; null for the standard one. */
export function namedTier(tier: string | null): string | null {
  return tier === null || STANDARD.has(tier) ? null : tier;
}

export interface TierPrice {
  readonly price: Price;
  /** The answer named a tier whose price is not known: it is booked at the standard price, and somebody should be told. */
  readonly unpriced: boolean;
}

/** The price of an answer that names its service tier; null = it names none. */
export function priceAtTier(price: Price, tier: string | null): TierPrice {
  if (tier === null || STANDARD.has(tier)) return { price, unpriced: false };
  const share = Object.hasOwn(price.tiers, tier) ? price.tiers[tier] : undefined;
  if (share === undefined) return { price, unpriced: true };
  // What is billed by the piece or by the request costs the same in every tier.
  const { units, request } = price;
  return { price: { ...scaledPrice(price, share, tier), units, request }, unpriced: false };
}
