import { compileGlob } from '../config/glob.js';
import type { Discount } from '../config/money-rules.js';
import { remainderOf } from './exact.js';
import type { Price } from './price.js';
import { scaledPrice } from './scaled-price.js';

/** What a discount may depend on. */
export interface Purchase {
  /** `provider/model`. */
  readonly target: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Of the key that pays; missing = none, so that only discounts for every key apply. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** The price after the first discount that covers the purchase; the price itself when none does. */
export type ApplyDiscount = (price: Price, purchase: Purchase) => Price;

/** Discounted prices are kept as long as the price that they come from. */
export function createDiscounts(discounts: readonly Discount[]): ApplyDiscount {
  const compiled = discounts.map(compileDiscount);
  return (price, purchase) => {
    for (const discount of compiled) if (discount.covers(purchase)) return discount.apply(price);
    return price;
  };
}

interface CompiledDiscount {
  covers(purchase: Purchase): boolean;
  apply(price: Price): Price;
}

function compileDiscount(discount: Discount): CompiledDiscount {
  const covers = compileGlob(discount.model);
  const { from, until } = discount;
  const labels = Object.entries(discount.labels);
  const share = remainderOf(discount.share);
  const known = new WeakMap<Price, Price>();
  return {
    covers: (purchase) =>
      (from === null || purchase.atMs >= from) &&
      (until === null || purchase.atMs < until) &&
      labels.every(([name, value]) => labelOf(purchase, name) === value) &&
      covers(purchase.target),
    apply(price) {
      let discounted = known.get(price);
      if (discounted === undefined) {
        discounted = scaledPrice(price, share, 'discount');
        known.set(price, discounted);
      }
      return discounted;
    },
  };
}

function labelOf({ labels }: Purchase, name: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, name) ? labels[name] : undefined;
}
