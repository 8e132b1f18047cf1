import type { Billing, BillingPlan, Discount } from './money-rules.js';
import type { ValidBilling, ValidDiscount, ValidPrice } from './money-schema.js';
import type { PriceOverride } from './snapshot.js';

export function compilePrice(price: ValidPrice): PriceOverride {
  return {
    model: price.model,
    input: price.input,
    output: price.output,
    cacheRead: price.cache_read ?? null,
    cacheWrite: price.cache_write ?? null,
    inputAudio: price.input_audio ?? null,
    outputAudio: price.output_audio ?? null,
    inputImage: price.input_image ?? null,
    reasoning: price.reasoning ?? null,
    request: price.request,
    unit: price.unit,
    from: price.from ?? null,
    until: price.until ?? null,
  };
}

export function compileDiscount({ model, labels, discount, from, until }: ValidDiscount): Discount {
  return { model, labels: { ...labels }, share: discount, from: from ?? null, until: until ?? null };
}

export function compileBilling({ customer, rates, plans }: ValidBilling): Billing {
  return {
    customer,
    rates: rates.map(({ currency, per_dollar, from }) => ({ currency, perDollar: per_dollar, from: from ?? null })),
    plans: plans.map(planOf),
  };
}

function planOf({ name, labels, currency, markup, prices }: ValidBilling['plans'][number]): BillingPlan {
  return {
    name,
    labels: { ...labels },
    currency,
    markup,
    prices: prices.map(({ model, input, output, cache_read, cache_write, request }) => {
      return { model, input, output, cacheRead: cache_read ?? null, cacheWrite: cache_write ?? null, request };
    }),
  };
}
