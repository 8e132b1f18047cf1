import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { createBiller } from '../../../src/accounting/billing/biller.js';
import { collectInvoices } from '../../../src/accounting/billing/collect-invoices.js';
import { createInvoice, type InvoiceContent } from '../../../src/accounting/billing/invoice.js';
import { invoiceCsv } from '../../../src/accounting/billing/invoice-csv.js';
import { issueInvoice } from '../../../src/accounting/billing/issue-invoice.js';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { readCsv } from '../reports/read-csv.js';
import { final, temporaryDirectory } from '../samples.js';
import { billing, plan, planPrice } from './samples.js';

const OCTOBER = { customer: 'acme', from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 10, 1) };
const NOVEMBER_2 = Date.UTC(2026, 10, 2);

function entry(id: string, changes: Partial<FinalEntry> = {}): FinalEntry {
  return final(id, { time: '2026-10-15T12:00:00.000Z', labels: { customer: 'acme' }, ...changes });
}

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
  const trimmed = await issueInvoice(make('a'), { directory, now: NOVEMBER_2 + 3 });
  t.same(trimmed, late, 'old segments of the ledger may be gone');
  t.same(JSON.parse(readFileSync(join(directory, `${first.id}.r1.json`), 'utf8')), first, 'older revisions stay');
  const dearer = createBiller(billing({ plans: [plan({ prices: [planPrice({ request: '2' })] })] }));
  const changed = await issueInvoice(
    createInvoice(
      OCTOBER,
      dearer,
      ['a', 'b', 'c'].map((id) => entry(id)),
    ),
    { directory, now: NOVEMBER_2 + 4 },
  );
  t.match(changed, { revision: 3, note: /the same requests, other figures, EUR \+3\.00$/ });
  writeFileSync(join(directory, `${first.id}.json`), '{"torn');
  await t.rejects(issueInvoice(make('a'), { directory, now: NOVEMBER_2 }), 'never a second revision 1');
  const other = createInvoice({ ...OCTOBER, customer: 'other' }, biller, [
    entry('a', { labels: { customer: 'other' } }),
  ]);
  t.not(other.id, first.id);
  t.not(other.lines[0]?.id, first.lines[0]?.id);
});
