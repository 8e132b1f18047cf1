import { TOKEN_CLASSES, type TokenClass, UNIT_CLASSES, type Usage } from '../dialects/usage.js';
import { tokensToNano, unitsToNano } from './exact.js';
import type { Price, Rate } from './price.js';

export interface Cost {
  /** Integer nano-dollars, the sum of `parts`; null when a class that was used has no price at all. */
  readonly total: number | null;
  /** Nano-dollars by class, only classes that were used; `requests` is what the request itself costs. */
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
 * (design 6.8). Exact: no floating point is involved between the price as written and the nano-dollar. Units without a price
 * (a search beside tokens) are left out where the rest is priced, and unknown where they are all that was used.
 */
export function costOf(usage: Partial<Usage>, price: Price): Cost {
  const context = contextTokens(usage);
  const parts: Record<string, number> = {};
  let total = 0;
  const add = (name: string, nano: number): void => {
    parts[name] = nano;
    total += nano;
  };
  let tokensUsed = false;
  let known = true;
  for (const name of TOKEN_CLASSES) {
    const tokens = wholeNumber(usage[name]);
    if (tokens === 0) continue;
    const rate = rateOf(name, price);
    tokensUsed = true;
    if (rate === null) known = false;
    else add(name, tokensToNano(tokens, stepOf(rate, context)));
  }
  for (const name of UNIT_CLASSES) {
    const units = wholeNumber(usage[name]);
    const unit = price.units[name];
    if (units > 0 && unit) add(name, unitsToNano(units, unit.price, unit.per));
    else if (units > 0 && price.request === null && !tokensUsed) known = false;
  }
  const request = price.request === null ? 0 : unitsToNano(1, price.request.price, price.request.per);
  if (request > 0) add('requests', request);
  return { total: known ? total : null, parts };
}

/** Price per million tokens of a class at a context of so many input tokens; null = unknown. */
export function ratePerMillion(name: TokenClass, price: Price, context: number): bigint | null {
  const rate = rateOf(name, price);
  return rate === null ? null : stepOf(rate, context);
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

/** Token counts come from providers: whatever is no count is 0. */
function wholeNumber(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}
