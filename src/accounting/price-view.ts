import type { Target } from '../config/snapshot.js';
import { TOKEN_CLASSES, type TokenClass, UNIT_CLASSES, type UnitClass, type Usage } from '../dialects/usage.js';
import { costOf } from './cost.js';
import { PRICE_DIGITS } from './exact.js';
import type { Price, Rate, UnitPrice } from './price.js';
import type { PriceBook } from './prices.js';
import { priceAtTier } from './service-tiers.js';

/** A price as people and scripts read it: dollars are decimal strings. */
export interface PriceView {
  readonly target: string;
  readonly priced: boolean;
  readonly price_version: string | null;
  readonly context_window: number | null;
  /** Dollars per million tokens; `above`: from so many input tokens on, for every token of the class. */
  readonly rates: Readonly<Partial<Record<TokenClass, RateView>>>;
  /** Dollars for `per` units. */
  readonly units: Readonly<Partial<Record<UnitClass | 'requests', UnitView>>>;
  /** Service tiers with a share of these rates. */
  readonly tiers: readonly string[];
  /** The tier that was asked for has no known price: these are the standard rates. */
  readonly tier_unpriced: boolean;
  /** What the given usage would cost; null when none was given or the price is unknown. */
  readonly example: ExampleView | null;
}

export interface RateView {
  readonly usd: string;
  readonly steps: readonly { readonly above: number; readonly usd: string }[];
}

export interface UnitView {
  readonly usd: string;
  readonly per: number;
}

export interface ExampleView {
  readonly usage: Readonly<Partial<Usage>>;
  readonly cost_nano_usd: number | null;
  readonly cost_parts: Readonly<Record<string, number>>;
}

export interface PriceQuestion {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Of the key that pays: for discounts. */
  readonly labels: Readonly<Record<string, string>>;
  readonly tier: string | null;
  /** null = no example. */
  readonly usage: Readonly<Partial<Usage>> | null;
}

/** What a target costs, and what the given usage would. */
export function priceView(prices: PriceBook, target: Target, question: PriceQuestion): PriceView {
  const listed = prices.find(target, question.at, question.labels);
  if (listed === null) return { ...UNKNOWN, target: target.name };
  const { price, unpriced } = priceAtTier(listed, question.tier);
  return {
    target: target.name,
    priced: true,
    price_version: price.version,
    context_window: price.contextWindow,
    rates: ratesOf(price),
    units: unitsOf(price),
    tiers: Object.keys(price.tiers),
    tier_unpriced: unpriced,
    example: question.usage && exampleOf(question.usage, price),
  };
}

const UNKNOWN: Omit<PriceView, 'target'> = {
  priced: false,
  price_version: null,
  context_window: null,
  rates: {},
  units: {},
  tiers: [],
  tier_unpriced: false,
  example: null,
};

function ratesOf(price: Price): PriceView['rates'] {
  const rates: Partial<Record<TokenClass, RateView>> = {};
  for (const name of TOKEN_CLASSES) {
    const rate = price.rates[name];
    if (rate) rates[name] = rateView(rate);
  }
  return rates;
}

function rateView({ base, steps }: Rate): RateView {
  return { usd: decimal(base), steps: steps.map(({ above, price }) => ({ above, usd: decimal(price) })) };
}

function unitsOf(price: Price): PriceView['units'] {
  const units: Partial<Record<UnitClass | 'requests', UnitView>> = {};
  for (const name of UNIT_CLASSES) {
    const unit = price.units[name];
    if (unit) units[name] = unitView(unit);
  }
  if (price.request) units.requests = unitView(price.request);
  return units;
}

function unitView({ price, per }: UnitPrice): UnitView {
  return { usd: decimal(price), per: Number(per) };
}

function exampleOf(usage: Readonly<Partial<Usage>>, price: Price): ExampleView {
  const { total, parts } = costOf(usage, price);
  return { usage, cost_nano_usd: total, cost_parts: parts };
}

/** 10^-12 dollars as a decimal without needless zeros, at least two places. */
function decimal(scaled: bigint): string {
  const digits = scaled.toString().padStart(PRICE_DIGITS + 1, '0');
  const fraction = digits.slice(-PRICE_DIGITS).replace(/0+$/, '').padEnd(2, '0');
  return `${digits.slice(0, -PRICE_DIGITS)}.${fraction}`;
}
