import { USAGE_CLASSES, type Usage } from '../dialects/usage.js';
import { tokensToNano, unitsToNano } from './exact.js';
import type { Price, Rate, TokenClass } from './price.js';

export interface Cost {
  /** Integer nano-dollars, the sum of `parts`; null when a class that was used has no price at all. */
  readonly total: number | null;
  /** Nano-dollars by class, only classes that were used. */
  readonly parts: Readonly<Record<string, number>>;
}

/**
 * Where a class without a price of its own is billed, as providers do: reasoning is output; a cache that has no price is plain
 * input, in both directions; a one-hour cache write without a price is at least a five-minute one; audio and image tokens
 * without a price count as text. Only `input` and `output` have nowhere to fall: their price is then unknown.
 */
const FALLBACK: Readonly<Partial<Record<TokenClass, TokenClass>>> = {
  cache_read: 'input',
  cache_write_5m: 'input',
  cache_write_1h: 'cache_write_5m',
  input_audio: 'input',
  input_image: 'input',
  reasoning: 'output',
  output_audio: 'output',
};

/**
 * Cost of one answer in integer nano-dollars: each class = tokens × price rounded half up, total = sum of the parts
 * (design 6.8). Exact: no floating point is involved between the price as written and the nano-dollar.
 */
export function costOf(usage: Partial<Usage>, price: Price): Cost {
  const parts: Record<string, number> = {};
  const context = contextTokens(usage);
  let known = true;
  let total = 0;
  for (const name of USAGE_CLASSES) {
    const tokens = wholeNumber(usage[name]);
    const part = name === 'requests' ? requestPart(tokens, price) : tokenPart({ name, tokens, context }, price);
    if (part === null) known = false;
    else if (part > 0 || (tokens > 0 && name !== 'requests')) {
      parts[name] = part;
      total += part;
    }
  }
  if (wholeNumber(usage.requests) > 0 && price.request === null && context + outputTokens(usage) === 0) known = false;
  return { total: known ? total : null, parts };
}

interface Counted {
  readonly name: TokenClass;
  readonly tokens: number;
  /** Input tokens of the request, which choose the step of a rate. */
  readonly context: number;
}

function tokenPart({ name, tokens, context }: Counted, price: Price): number | null {
  if (tokens === 0) return 0;
  const rate = rateOf(name, price);
  return rate ? tokensToNano(tokens, stepOf(rate, context)) : null;
}

/** A price per request is charged at least once, and once for each unit where the provider stated units. */
function requestPart(units: number, price: Price): number {
  return price.request === null ? 0 : unitsToNano(Math.max(1, units), price.request);
}

function rateOf(name: TokenClass, price: Price): Rate | null {
  for (let at: TokenClass | undefined = name; at; at = FALLBACK[at]) {
    const rate = price.rates[at];
    if (rate) return rate;
  }
  return null;
}

function stepOf(rate: Rate, context: number): bigint {
  let price = rate.base;
  for (const step of rate.steps) if (context > step.above) price = step.price;
  return price;
}

function contextTokens(usage: Partial<Usage>): number {
  return (
    wholeNumber(usage.input) +
    wholeNumber(usage.cache_read) +
    wholeNumber(usage.cache_write_5m) +
    wholeNumber(usage.cache_write_1h) +
    wholeNumber(usage.input_audio) +
    wholeNumber(usage.input_image)
  );
}

function outputTokens(usage: Partial<Usage>): number {
  return wholeNumber(usage.output) + wholeNumber(usage.reasoning) + wholeNumber(usage.output_audio);
}

/** Token counts come from providers: whatever is no count is 0. */
function wholeNumber(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}
