import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
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
import { collectInvoices } from '../../../src/accounting/billing/collect-invoices.js';
import { minorDigits } from '../../../src/accounting/billing/currency.js';
import { customerOf } from '../../../src/accounting/billing/customer.js';
import { createInvoice, type InvoiceContent } from '../../../src/accounting/billing/invoice.js';
import { invoiceCsv } from '../../../src/accounting/billing/invoice-csv.js';
import { issueInvoice } from '../../../src/accounting/billing/issue-invoice.js';
import { modelGlob } from '../../../src/accounting/billing/model-glob.js';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import type { Billing } from '../../../src/config/money-rules.js';
import { readCsv } from '../reports/read-csv.js';
import { final, temporaryDirectory } from '../samples.js';
import { billing, plan, planPrice } from './samples.js';

const OCTOBER = { customer: 'acme', from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 10, 1) };
const NOVEMBER_2 = Date.UTC(2026, 10, 2);

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
  for (const [glob, name, expected] of cases) t.equal(modelGlob(glob)(name), expected, `${glob} ${name}`);
});

const decimals = fc
  .tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 999_999 }))
  .map(([whole, fraction]) => `${whole}.${String(fraction).padStart(6, '0')}`);
const samples = fc.array(
  fc.record({
    day: fc.integer({ min: 0, max: 30 }),
    model: fc.constantFrom('smart', 'fast', 'openai/x'),
    tier: fc.constantFrom('gold', 'free', 'none'),
    input: fc.integer({ min: 0, max: 10 ** 7 }),
    output: fc.integer({ min: 0, max: 10 ** 6 }),
    nano: fc.option(fc.integer({ min: 0, max: 10 ** 12 })),
  }),
  { minLength: 1, maxLength: 40 },
);
const rulesOf = fc
  .record({ markup: decimals, input: decimals, output: decimals, request: decimals, early: decimals, late: decimals })
  .map(({ markup, input, output, request, early, late }) => ({
    prices: { markup, input, output, request, early, late },
    rules: billing({
      rates: [
        { currency: 'KWD', perDollar: early, from: null },
        { currency: 'KWD', perDollar: late, from: Date.UTC(2026, 9, 16) },
      ],
      plans: [
        plan({
          name: 'gold',
          labels: { tier: 'gold' },
          currency: 'KWD',
          markup,
          prices: [planPrice({ model: 'fast', input, output, request })],
        }),
        plan({
          name: 'free',
          labels: { tier: 'free' },
          currency: 'JPY',
          prices: [planPrice({ input, output, request })],
        }),
      ],
    }),
  }));

interface Sample {
  readonly day: number;
  readonly model: string;
  readonly tier: string;
  readonly input: number;
  readonly output: number;
  readonly nano: number | null;
}

function entriesOf(list: readonly Sample[]): FinalEntry[] {
  return list.map(({ day, model, tier, input, output, nano }, at) =>
    entry(`r${at}`, {
      time: new Date(OCTOBER.from + day * 86_400_000).toISOString(),
      model,
      labels: { customer: 'acme', tier },
      usage: { input, output },
      cost_nano_usd: nano,
    }),
  );
}

/** `0.25` as a fraction; the reference for all arithmetic: nothing but products and sums of fractions. */
interface Fraction {
  readonly top: bigint;
  readonly bottom: bigint;
}

function fraction(text: string): Fraction {
  const [whole = '', part = ''] = text.split('.');
  return { top: BigInt(whole + part), bottom: 10n ** BigInt(part.length) };
}

const times = (...all: Fraction[]): Fraction =>
  all.reduce((left, right) => ({ top: left.top * right.top, bottom: left.bottom * right.bottom }), {
    top: 1n,
    bottom: 1n,
  });
const plus = (left: Fraction, right: Fraction): Fraction => ({
  top: left.top * right.bottom + right.top * left.bottom,
  bottom: left.bottom * right.bottom,
});
const halfUp = ({ top, bottom }: Fraction): bigint => (2n * top + bottom) / (2n * bottom);

t.test('exact to the last digit: the same as with fractions, lines add up to totals', async (t) => {
  fc.assert(
    fc.property(samples, rulesOf, (list, { rules, prices }) => {
      const invoice = createInvoice(OCTOBER, createBiller(rules), entriesOf(list));
      const expected = new Map<string, Fraction>();
      let uncharged = 0;
      for (const one of list) {
        const listed = one.tier === 'free' || (one.tier === 'gold' && one.model === 'fast');
        if (one.tier === 'none' || (!listed && one.nano === null)) {
          uncharged += 1;
          continue;
        }
        const perMillion = (tokens: number, price: string) =>
          times({ top: BigInt(tokens), bottom: 1_000_000n }, fraction(price));
        const amount = listed
          ? plus(
              plus(perMillion(one.input, prices.input), perMillion(one.output, prices.output)),
              fraction(prices.request),
            )
          : times(
              { top: BigInt(one.nano ?? 0), bottom: 10n ** 9n },
              plus(fraction('1.0'), fraction(prices.markup)),
              fraction(one.day < 15 ? prices.early : prices.late),
            );
        const line = `${one.tier} ${one.model}`;
        expected.set(line, plus(expected.get(line) ?? { top: 0n, bottom: 1n }, amount));
      }
      t.equal(invoice.lines.length, expected.size);
      for (const line of invoice.lines) {
        const exact = expected.get(`${line.plan} ${line.model}`) ?? { top: -1n, bottom: 1n };
        const scale = { top: line.currency === 'KWD' ? 1000n : 1n, bottom: 1n };
        t.equal(BigInt(line.amount_minor), halfUp(times(exact, scale)));
        const written = fraction(line.amount_exact);
        t.equal(written.top * exact.bottom, exact.top * written.bottom, 'amount_exact');
      }
      t.equal(
        invoice.uncharged.reduce((sum, { requests }) => sum + requests, 0),
        uncharged,
      );
      for (const { currency, amount_minor } of invoice.totals) {
        const lines = invoice.lines.filter((line) => line.currency === currency);
        t.equal(
          lines.reduce((sum, line) => sum + line.amount_minor, 0),
          amount_minor,
        );
      }
      t.equal(new Set(invoice.lines.map(({ currency }) => currency)).size, invoice.totals.length);
    }),
    { numRuns: 60 },
  );
});

t.test('the order of entries makes no difference; two halves differ by a minor unit a line at most', async (t) => {
  fc.assert(
    fc.property(
      samples,
      rulesOf,
      fc.integer({ min: 1, max: 30 }),
      fc.func(fc.integer()),
      (list, { rules }, day, order) => {
        const biller = createBiller(rules);
        const entries = entriesOf(list);
        const whole = createInvoice(OCTOBER, biller, entries);
        const shuffled = entries
          .map((one) => ({ one, place: order(one.id) }))
          .sort((left, right) => left.place - right.place)
          .map(({ one }) => one);
        t.same(createInvoice(OCTOBER, biller, shuffled), whole);
        const middle = OCTOBER.from + day * 86_400_000;
        const halves = [
          createInvoice({ ...OCTOBER, to: middle }, biller, entries),
          createInvoice({ ...OCTOBER, from: middle }, biller, entries),
        ];
        for (const line of whole.lines) {
          const same = halves
            .flatMap(({ lines }) => lines)
            .filter(
              ({ plan: name, model, basis }) => name === line.plan && model === line.model && basis === line.basis,
            );
          t.equal(
            same.reduce((sum, { requests }) => sum + requests, 0),
            line.requests,
          );
          const parts = same.reduce((sum, { amount_minor }) => sum + amount_minor, 0);
          t.ok(Math.abs(parts - line.amount_minor) <= 1);
        }
      },
    ),
    { numRuns: 40 },
  );
});

t.test('invoices of all customers; what is not charged is listed', async (t) => {
  const entries = [
    entry('a'),
    entry('b', { labels: { customer: 'other' } }),
    entry('c', { labels: {} }),
    entry('d', { labels: {}, type: 'refusal', usage_source: null }),
    entry('e', { cost_nano_usd: null, model: '=odd', usage_source: 'estimated' }),
    entry('f', { time: '2026-11-01T00:00:00.000Z' }),
  ];
  const source = {
    async eachEntry({ from, to }: { from?: number | null; to?: number | null }, take: (one: FinalEntry) => void) {
      for (const one of entries) {
        const time = Date.parse(one.time);
        if (time >= (from ?? 0) && time < (to ?? Number.POSITIVE_INFINITY)) take(one);
      }
      return { damages: 0 };
    },
  };
  const all = await collectInvoices(source, createBiller(billing()), { ...OCTOBER, customer: null });
  t.equal(all.withoutCustomer, 1);
  t.match(all.invoices, [
    {
      customer: 'acme',
      from: '2026-10-01T00:00:00.000Z',
      to: '2026-11-01T00:00:00.000Z',
      lines: [
        {
          model: 'smart',
          requests: 1,
          cost_usd: '0.000325',
          amount: '0.00',
          amount_exact: '0.0003588',
          currency: 'EUR',
        },
      ],
      uncharged: [
        {
          reason: 'unknown_cost',
          plan: 'standard',
          model: '=odd',
          requests: 1,
          request_ids: ['e'],
          cost_usd: null,
          estimated_requests: 1,
          unpriced_requests: 1,
        },
      ],
    },
    { customer: 'other' },
  ]);
  t.match((await collectInvoices(source, createBiller(billing()), { ...OCTOBER, customer: 'nobody' })).invoices, [
    { customer: 'nobody', lines: [], totals: [] },
  ]);
  const directory = temporaryDirectory(t);
  const issued = await Promise.all(all.invoices.map((one) => issueInvoice(one, { directory, now: NOVEMBER_2 })));
  const [head = [], ...rows] = readCsv(invoiceCsv(issued));
  const cells = rows.map((row) => Object.fromEntries(head.map((name, at) => [name, row[at]])));
  t.match(cells, [
    {
      customer: 'acme',
      model: 'smart',
      amount_minor: '0',
      amount_exact: '0.0003588',
      rates: '0.92',
      uncharged: '',
      line_id: /^li_[0-9a-f]{32}$/,
    },
    { customer: 'acme', model: "'=odd", amount: '', uncharged: 'unknown_cost' },
    { customer: 'other' },
  ]);
});

t.test('exported again: the same bytes, or a new revision that says why', async (t) => {
  const directory = temporaryDirectory(t);
  const biller = createBiller(billing({ plans: [plan({ prices: [planPrice({ request: '1' })] })] }));
  const make = (...ids: string[]): InvoiceContent =>
    createInvoice(
      OCTOBER,
      biller,
      ids.map((id) => entry(id)),
    );
  const open = await issueInvoice(make('a'), { directory, now: OCTOBER.to - 1 });
  t.match(open, { status: 'open', revision: 0, issued: null });
  t.same(readdirSync(directory), [], 'an open period is not kept');
  const first = await issueInvoice(make('a', 'b'), { directory, now: NOVEMBER_2 });
  t.match(first, { status: 'closed', revision: 1, issued: '2026-11-02T00:00:00.000Z', note: null, id: open.id });
  const again = await issueInvoice(make('b', 'a'), { directory, now: NOVEMBER_2 + 86_400_000 });
  t.equal(JSON.stringify(again), JSON.stringify(first));
  const late = await issueInvoice(make('a', 'b', 'c'), { directory, now: NOVEMBER_2 + 1 });
  t.match(late, {
    id: first.id,
    revision: 2,
    note: /^replaces revision 1 of 2026-11-02T.*: \+1 requests, EUR \+1\.00$/,
  });
  t.equal(late.lines[0]?.id, first.lines[0]?.id, 'line ids stay');
  t.same(await issueInvoice(make('a', 'b', 'c'), { directory, now: NOVEMBER_2 + 2 }), late);
  const fewer = await issueInvoice(make('a'), { directory, now: NOVEMBER_2 + 3 });
  t.match(fewer, { revision: 3, note: /-2 requests, EUR -2\.00$/ });
  t.same(JSON.parse(readFileSync(join(directory, `${first.id}.r1.json`), 'utf8')), first, 'older revisions stay');
  const dearer = createBiller(billing({ plans: [plan({ prices: [planPrice({ request: '2' })] })] }));
  const changed = await issueInvoice(createInvoice(OCTOBER, dearer, [entry('a')]), { directory, now: NOVEMBER_2 + 4 });
  t.match(changed, { revision: 4, note: /the same requests, other figures, EUR \+1\.00$/ });
  writeFileSync(join(directory, `${first.id}.json`), '{"torn');
  await t.rejects(issueInvoice(make('a'), { directory, now: NOVEMBER_2 }), 'never a second revision 1');
  const other = createInvoice({ ...OCTOBER, customer: 'other' }, biller, [
    entry('a', { labels: { customer: 'other' } }),
  ]);
  t.not(other.id, first.id);
  t.not(other.lines[0]?.id, first.lines[0]?.id);
});
