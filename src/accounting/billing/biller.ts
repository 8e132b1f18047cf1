import { compileGlob } from '../../config/glob.js';
import type { Billing, BillingPlan, CurrencyRate, PlanPrice } from '../../config/money-rules.js';
import { TOKEN_CLASSES, type TokenClass, UNIT_CLASSES } from '../../dialects/usage.js';
import type { FinalEntry } from '../ledger/entry.js';
import { type Amount, costAmount, readDecimal, tokenAmount, unitAmount } from './amount.js';
import { customerOf } from './customer.js';

/** What a request is charged. */
export type Charge =
  | {
      readonly kind: 'charged';
      readonly plan: string;
      /** ISO 4217. */
      readonly currency: string;
      /** Exact, not rounded. */
      readonly amount: Amount;
      /** `list`: the plan's own price; `cost`: what it cost, marked up and converted. */
      readonly basis: 'list' | 'cost';
      /** What a dollar was in the currency, as configured; null on the plan's own price. */
      readonly rate: string | null;
    }
  /** It was used, but what to charge is not known. Never the same as free. */
  | { readonly kind: 'uncharged'; readonly reason: UnchargedReason; readonly plan: string | null }
  /** Nothing was used: a refusal, or an attempt that failed before anything was billed. */
  | { readonly kind: 'nothing' };

/** No plan has these labels · the cost to mark up is unknown · no rate of exchange at the request's time. */
export type UnchargedReason = 'no_plan' | 'unknown_cost' | 'no_rate';

/** The billing rules of one snapshot, ready to use. */
export interface Biller {
  /** Empty when the request names nobody. */
  customerOf(entry: FinalEntry): string;
  /** Depends on the entry alone, so it can be asked again at any time. */
  chargeOf(entry: FinalEntry): Charge;
}

/** Throws RangeError for a price, mark-up or rate that is no decimal. */
export function createBiller(billing: Billing): Biller {
  const plans = billing.plans.map((plan) => compilePlan(plan, billing.rates));
  return {
    customerOf: (entry) => customerOf(entry, billing.customer),
    chargeOf(entry) {
      if (entry.type !== 'settle' && entry.type !== 'estimate') return { kind: 'nothing' };
      const plan = plans.find((one) => one.covers(entry));
      return plan ? plan.charge(entry) : { kind: 'uncharged', reason: 'no_plan', plan: null };
    },
  };
}

interface CompiledPlan {
  covers(entry: FinalEntry): boolean;
  charge(entry: FinalEntry): Charge;
}

function compilePlan(plan: BillingPlan, rates: readonly CurrencyRate[]): CompiledPlan {
  const labels = Object.entries(plan.labels);
  const prices = plan.prices.map(compilePrice);
  const markup = readDecimal(plan.markup);
  const rateAt = compileRates(plan.currency, rates);
  const { name, currency } = plan;
  const uncharged = (reason: UnchargedReason): Charge => ({ kind: 'uncharged', reason, plan: name });
  return {
    covers: (entry) =>
      labels.every(([label, value]) => Object.hasOwn(entry.labels, label) && entry.labels[label] === value),
    charge(entry) {
      const listed = prices.find(({ matches }) => matches(entry.model))?.amount(entry) ?? null;
      if (listed !== null) {
        return { kind: 'charged', plan: name, currency, amount: listed, basis: 'list', rate: null };
      }
      if (entry.cost_nano_usd === null) return uncharged('unknown_cost');
      const rate = rateAt(Date.parse(entry.time));
      if (rate === null) return uncharged('no_rate');
      const amount = costAmount(whole(entry.cost_nano_usd), markup, rate.value);
      return { kind: 'charged', plan: name, currency, amount, basis: 'cost', rate: rate.text };
    },
  };
}

interface Rate {
  readonly from: number;
  readonly value: bigint;
  readonly text: string;
}

/** The rate in force at a time, the last that began; a dollar is always a dollar. */
function compileRates(currency: string, rates: readonly CurrencyRate[]): (atMs: number) => Rate | null {
  const usd = { from: Number.NEGATIVE_INFINITY, value: readDecimal('1'), text: '1' };
  if (currency === 'USD') return () => usd;
  const newestFirst = rates
    .filter((rate) => rate.currency === currency)
    .map(({ from, perDollar }) => ({
      from: from ?? Number.NEGATIVE_INFINITY,
      value: readDecimal(perDollar),
      text: perDollar,
    }))
    .sort((left, right) => (left.from === right.from ? 0 : left.from < right.from ? 1 : -1));
  return (atMs) => newestFirst.find(({ from }) => from <= atMs) ?? null;
}

interface CompiledPrice {
  matches(model: string): boolean;
  /** Null when all that was used are units (images, seconds), for which a plan's list has no price. */
  amount(entry: FinalEntry): Amount | null;
}

/** Reasoning and audio count as output and input: a plan's list is meant for people. */
function compilePrice(price: PlanPrice): CompiledPrice {
  const input = readDecimal(price.input);
  const output = readDecimal(price.output);
  const write = price.cacheWrite === null ? input : readDecimal(price.cacheWrite);
  const perMillion: Readonly<Record<TokenClass, bigint>> = {
    input,
    cache_read: price.cacheRead === null ? input : readDecimal(price.cacheRead),
    cache_write_5m: write,
    cache_write_1h: write,
    input_audio: input,
    input_image: input,
    output,
    reasoning: output,
    output_audio: output,
  };
  const request = readDecimal(price.request);
  return {
    matches: compileGlob(price.model),
    amount({ usage }) {
      const tokens = TOKEN_CLASSES.filter((name) => whole(usage[name]) > 0n);
      const units = UNIT_CLASSES.some((name) => whole(usage[name]) > 0n);
      if (units && tokens.length === 0 && request === 0n) return null;
      return tokens.reduce(
        (sum, name) => sum + tokenAmount(whole(usage[name]), perMillion[name]),
        unitAmount(1n, request),
      );
    },
  };
}

function whole(count: number | undefined): bigint {
  return count !== undefined && Number.isFinite(count) && count > 0 ? BigInt(Math.round(count)) : 0n;
}
