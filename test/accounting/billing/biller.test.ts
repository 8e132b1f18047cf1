import t from 'tap';
import {
  costAmount,
  exactText,
  minorText,
  readDecimal,
  tokenAmount,
  toMinorUnits,
  unitAmount,
} from '../../../src/accounting/billing/amount.js';
import { type Charge, createBiller } from '../../../src/accounting/billing/biller.js';
import { minorDigits } from '../../../src/accounting/billing/currency.js';
import { customerOf } from '../../../src/accounting/billing/customer.js';
import { createInvoice } from '../../../src/accounting/billing/invoice.js';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { compileGlob } from '../../../src/config/glob.js';
import type { Billing } from '../../../src/config/money-rules.js';
import { final } from '../samples.js';
import { billing, plan, planPrice } from './samples.js';

const OCTOBER = { customer: 'acme', from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 10, 1) };

function entry(id: string, changes: Partial<FinalEntry> = {}): FinalEntry {
  return final(id, { time: '2026-10-15T12:00:00.000Z', labels: { customer: 'acme' }, ...changes });
}
/** Amount of a charge as text, or why there is none. */
function charged(rules: Billing, one: FinalEntry): string {
  const charge: Charge = createBiller(rules).chargeOf(one);
  if (charge.kind === 'charged') return `${exactText(charge.amount)} ${charge.currency} ${charge.basis}`;
  return charge.kind === 'nothing' ? 'nothing' : charge.reason;
}

t.test('amounts: decimals, minor units, currencies', async (t) => {
  t.equal(readDecimal('0.92'), 92n * 10n ** 40n);
  for (const bad of ['', '.5', '1.', '-1', '1e3', '0x1', '1,5', ' 1', `0.${'1'.repeat(43)}`]) {
    t.throws(() => readDecimal(bad), RangeError, bad);
  }
  t.equal(exactText(tokenAmount(1n, readDecimal('0.000000000001'))), '0.000000000000000001');
  const third = `0.${'3'.repeat(40)}`;
  t.equal(exactText(costAmount(1_000_000_000n, 0n, readDecimal(third))), third, 'all digits that can be written');
  t.equal(exactText(costAmount(2n, readDecimal('0.25'), readDecimal('0.001'))), '0.0000000000025');
  t.equal(exactText(unitAmount(3n, readDecimal('0.5'))), '1.5');
  for (const [text, digits, minor] of [
    ['0.005', 2, 1n],
    ['0.004999999999', 2, 0n],
    ['1.5', 0, 2n],
    ['1.0005', 3, 1001n],
  ] as const) {
    t.equal(toMinorUnits(unitAmount(1n, readDecimal(text)), digits), minor, `${text} in ${digits}`);
  }
  t.same(
    [minorText(5n, 2), minorText(-1250n, 2), minorText(7n, 0), minorText(1001n, 3)],
    ['0.05', '-12.50', '7', '1.001'],
  );
  t.same(['EUR', 'JPY', 'KWD', 'CLF', 'HUF', 'USD'].map(minorDigits), [2, 0, 3, 4, 2, 2]);
  // Intl follows ISO 4217 except where cash has fewer digits: what it says beyond two digits must be known here.
  for (const currency of Intl.supportedValuesOf('currency')) {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    const { maximumFractionDigits: digits = 2 } = format.resolvedOptions();
    if (digits > 2) t.equal(minorDigits(currency), digits, currency);
    if (minorDigits(currency) === 0) t.equal(digits, 0, currency);
  }
  for (const currency of ['EUR', 'GBP', 'CHF', 'USD', 'INR', 'CNY', 'BRL', 'TWD']) t.equal(minorDigits(currency), 2);
});

t.test('who is charged what', async (t) => {
  const one = entry('a', { user: 'u', key: 'web', labels: { customer: 'acme', tier: 'gold' } });
  t.same(
    ['key.labels.customer', 'user', 'key', 'key.labels.none', 'key.labels.toString'].map((field) =>
      customerOf(one, field),
    ),
    ['acme', 'u', 'web', '', ''],
  );
  const cases: readonly (readonly [string, Billing, Partial<FinalEntry>, string])[] = [
    ['mark-up and rate', billing(), {}, '0.0003588 EUR cost'],
    [
      'no mark-up, dollars',
      billing({ rates: [], plans: [plan({ currency: 'USD', markup: '0' })] }),
      {},
      '0.000325 USD cost',
    ],
    ['own list', billing({ plans: [plan({ prices: [planPrice()] })] }), {}, '0.0006 EUR list'],
    [
      'own list needs no cost',
      billing({ plans: [plan({ prices: [planPrice()] })] }),
      { cost_nano_usd: null },
      '0.0006 EUR list',
    ],
    [
      'first list price',
      billing({ plans: [plan({ prices: [planPrice({ model: 'sm*', input: '1' }), planPrice()] })] }),
      {},
      '0.0004 EUR list',
    ],
    [
      'list of other models',
      billing({ plans: [plan({ prices: [planPrice({ model: 'x*' })] })] }),
      {},
      '0.0003588 EUR cost',
    ],
    ['per request', billing({ plans: [plan({ prices: [planPrice({ request: '0.01' })] })] }), {}, '0.0106 EUR list'],
    [
      'caches',
      billing({ plans: [plan({ prices: [planPrice({ cacheRead: '0.3', cacheWrite: '3.75', request: '0' })] })] }),
      { usage: { cache_read: 1000, cache_write_5m: 100, cache_write_1h: 100, reasoning: 10, input_audio: 5 } },
      '0.001215 EUR list',
    ],
    [
      'caches as input',
      billing({ plans: [plan({ prices: [planPrice()] })] }),
      { usage: { cache_read: 1000 } },
      '0.003 EUR list',
    ],
    [
      'units have no list price',
      billing({ plans: [plan({ prices: [planPrice()] })] }),
      { usage: { images: 4 } },
      '0.0003588 EUR cost',
    ],
    [
      'plan by labels',
      billing({ plans: [plan({ labels: { tier: 'gold' }, markup: '0' }), plan()] }),
      {},
      '0.000299 EUR cost',
    ],
    ['no plan', billing({ plans: [plan({ labels: { tier: 'silver' } })] }), {}, 'no_plan'],
    ['label of the prototype', billing({ plans: [plan({ labels: { toString: 'x' } })] }), {}, 'no_plan'],
    ['unknown cost', billing(), { cost_nano_usd: null }, 'unknown_cost'],
    ['no rate', billing({ plans: [plan({ currency: 'CHF' })] }), {}, 'no_rate'],
    ['refusal', billing(), { type: 'refusal' }, 'nothing'],
    ['void', billing(), { type: 'void' }, 'nothing'],
  ];
  for (const [name, rules, changes, expected] of cases) t.equal(charged(rules, { ...one, ...changes }), expected, name);
});

t.test('rates change at a moment', async (t) => {
  const from = Date.UTC(2026, 9, 15);
  const rates = [
    { currency: 'EUR', perDollar: '0.90', from },
    { currency: 'EUR', perDollar: '0.80', from: null },
    { currency: 'EUR', perDollar: '0.95', from: Date.UTC(2026, 9, 20) },
    { currency: 'CHF', perDollar: '9', from: null },
  ];
  const rules = billing({ rates, plans: [plan({ markup: '0' })] });
  const at = (time: number) =>
    charged(rules, entry('a', { time: new Date(time).toISOString(), cost_nano_usd: 1_000_000_000 }));
  t.equal(at(from - 1), '0.8 EUR cost');
  t.equal(at(from), '0.9 EUR cost');
  t.equal(at(Date.UTC(2026, 9, 20) - 1), '0.9 EUR cost');
  t.equal(at(Date.UTC(2026, 9, 20)), '0.95 EUR cost');
  const later = billing({ rates: rates.filter((rate) => rate.from !== null) });
  t.equal(charged(later, entry('a', { time: '2026-10-14T23:59:59.999Z' })), 'no_rate');
  const both = createInvoice(OCTOBER, createBiller(rules), [
    entry('a', { time: '2026-10-14T00:00:00Z' }),
    entry('b', { time: '2026-10-16T00:00:00Z' }),
  ]);
  t.match(both.lines, [{ requests: 2, rates: ['0.80', '0.90'] }]);
});

t.test('model globs', async (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['smart', 'smart', true],
    ['smart', 'smarter', false],
    ['*', '', true],
    ['openai/*', 'openai/a/b', true],
    ['*-mini', 'gpt-mini', true],
    ['a*a', 'a', false],
    ['a*b*c', 'axbxc', true],
    ['a*b*c', 'axcxb', false],
    ['a.c', 'abc', false],
  ];
  for (const [glob, name, expected] of cases) t.equal(compileGlob(glob)(name), expected, `${glob} ${name}`);
});
