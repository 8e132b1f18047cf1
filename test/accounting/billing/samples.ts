import type { Billing, BillingPlan, PlanPrice } from '../../../src/config/money-rules.js';

export function plan(changes: Partial<BillingPlan> = {}): BillingPlan {
  return { name: 'standard', labels: {}, currency: 'EUR', markup: '0.2', prices: [], ...changes };
}

export function planPrice(changes: Partial<PlanPrice> = {}): PlanPrice {
  return { model: '*', input: '3', output: '15', cacheRead: null, cacheWrite: null, request: '0', ...changes };
}

export function billing(changes: Partial<Billing> = {}): Billing {
  return {
    customer: 'key.labels.customer',
    rates: [{ currency: 'EUR', perDollar: '0.92', from: null }],
    plans: [plan()],
    ...changes,
  };
}
