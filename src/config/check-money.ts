import { type Mistake, type Path, shown } from './problem.js';
import { entriesOf, fieldOf, itemsOf, textOf } from './raw-view.js';

/** Prices, discounts and billing, each against itself. */
export function moneyMistakes(raw: unknown): readonly Mistake[] {
  const billing = fieldOf(raw, 'billing');
  return [
    ...periodMistakes(raw, 'prices'),
    ...periodMistakes(raw, 'discounts'),
    ...rateMistakes(itemsOf(billing, 'rates')),
    ...planMistakes(billing),
  ];
}

function periodMistakes(raw: unknown, list: string): readonly Mistake[] {
  return itemsOf(raw, list).flatMap((item, index): readonly Mistake[] => {
    const from = Date.parse(textOf(item, 'from') ?? '');
    const until = Date.parse(textOf(item, 'until') ?? '');
    if (!(from >= until)) return [];
    return [{ path: [list, index, 'until'], at: 'value', message: 'must be later than "from"' }];
  });
}

function rateMistakes(rates: readonly unknown[]): readonly Mistake[] {
  const seen = new Map<string, number>();
  return rates.flatMap((rate, index): readonly Mistake[] => {
    const path: Path = ['billing', 'rates', index];
    const currency = textOf(rate, 'currency');
    if (currency === null) return [];
    if (currency === 'USD')
      return [{ path: [...path, 'currency'], at: 'value', message: 'a dollar always costs a dollar' }];
    const from = Date.parse(textOf(rate, 'from') ?? '');
    const first = seen.get(`${currency} ${from}`);
    seen.set(`${currency} ${from}`, first ?? index);
    if (first === undefined) return [];
    return [{ path, at: 'key', message: `has the same currency and the same "from" as billing.rates[${first}]` }];
  });
}

function planMistakes(billing: unknown): readonly Mistake[] {
  const plans = itemsOf(billing, 'plans');
  const names = plans.map((plan) => textOf(plan, 'name'));
  const exchanged = itemsOf(billing, 'rates').map((rate) => textOf(rate, 'currency'));
  return plans.flatMap((plan, index): readonly Mistake[] => {
    const path: Path = ['billing', 'plans', index];
    const mistakes: Mistake[] = [];
    const first = names.indexOf(names[index] ?? null);
    if (names[index] !== null && first < index) {
      mistakes.push({ path: [...path, 'name'], at: 'value', message: `has the same name as billing.plans[${first}]` });
    }
    const currency = textOf(plan, 'currency') ?? 'USD';
    if (/^[A-Z]{3}$/.test(currency) && currency !== 'USD' && !exchanged.includes(currency)) {
      mistakes.push({
        path: [...path, 'currency'],
        at: 'value',
        message: `needs a rate for ${shown(currency)} in billing.rates`,
      });
    }
    if (index < plans.length - 1 && typeof plan === 'object' && entriesOf(plan, 'labels').length === 0) {
      mistakes.push({ path, at: 'key', message: 'has no "labels", so that the plans after it are never reached' });
    }
    return mistakes;
  });
}
