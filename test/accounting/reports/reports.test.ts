import fc from 'fast-check';
import t from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { recordEntries } from '../../../src/accounting/records/record-entries.js';
import { isWithin } from '../../../src/accounting/records/request-filter.js';
import { UsageReport } from '../../../src/accounting/records/usage-report.js';
import { csvLine } from '../../../src/accounting/reports/csv-line.js';
import { dollars, nanoDollars } from '../../../src/accounting/reports/dollars.js';
import { ledgerEntries } from '../../../src/accounting/reports/entry-source.js';
import { FocusReport } from '../../../src/accounting/reports/focus.js';
import { FOCUS_COLUMNS, type FocusColumn } from '../../../src/accounting/reports/focus-columns.js';
import { usageCsv } from '../../../src/accounting/reports/usage-csv.js';
import { USAGE_CLASSES } from '../../../src/dialects/usage.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../samples.js';
import { readCsv } from './read-csv.js';

t.test('dollars', async (t) => {
  for (const [nano, text] of [
    [0, '0.00'],
    [1, '0.000000001'],
    [1_250_000, '0.00125'],
    [12_500_000_000, '12.50'],
    [123_000_000_000, '123.00'],
    [-1_500_000_000n, '-1.50'],
    [9_007_199_254_740_993_000n, '9007199254.740993'],
  ] as const) {
    t.equal(dollars(nano), text);
    t.equal(nanoDollars(text), BigInt(nano));
  }
});

t.test('csv: no formulas, no broken lines', async (t) => {
  t.equal(csvLine(['a"b', 'c,d', 1, 2n, 'x\ny', '-1.50']), '"a""b","c,d",1,2,"x\ny",-1.50\r\n');
  for (const bad of ['=1+1', '+1+1', '-1+1', '@SUM(A1)', '\t=1', ' =1', '\r=1', '\n', '＝1', '=cmd|"/c calc"!A1']) {
    const [[cell = ''] = []] = readCsv(csvLine([bad]));
    t.equal(cell, `'${bad}`, JSON.stringify(bad));
  }
  const cells = fc.array(
    fc.string({ unit: 'grapheme' }).filter((text) => !/^[\s\0]*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text)),
  );
  fc.assert(
    fc.property(
      fc.array(
        cells.filter((row) => row.length > 1),
        { maxLength: 5 },
      ),
      (rows) => {
        t.same(readCsv(rows.map((row) => csvLine(row)).join('')), rows);
      },
    ),
  );
});

t.test('rows say what they leave out, and sums are exact', async (t) => {
  const report = new UsageReport(['team', 'product']);
  const large = 9_007_199_254_740_991;
  for (const id of ['a', 'b', 'c'])
    report.add(final(id, { cost_nano_usd: large, labels: { team: '=x', product: 'p' } }));
  report.add(final('d', { cost_nano_usd: null, labels: { team: '=x', product: 'p' } }));
  report.add(final('e', { type: 'void', usage: {}, usage_source: null, cost_nano_usd: 0, status: 502 }));
  const [first, second] = report.rows();
  t.match(first, { team: '=x', product: 'p', requests: 4, unpriced_requests: 1, cost_usd: '27021597.764222973' });
  t.match(second, { team: 'search', product: '', requests: 1, errors: 1, unpriced_requests: 0, cost_usd: '0.00' });
  const [head = [], line = []] = readCsv(usageCsv({ rows: report.rows(), by: ['team', 'product'] }));
  const cells = Object.fromEntries(head.map((name, at) => [name, line[at]]));
  t.match(cells, { team: "'=x", cost_usd: '27021597.764222973', unpriced_requests: '1', input: '400' });
  const unknown = new UsageReport([]);
  unknown.add(final('a', { cost_nano_usd: null }));
  t.match(unknown.rows(), [{ cost_nano_usd: null, cost_usd: null, unpriced_requests: 1 }]);
  t.match(usageCsv({ rows: unknown.rows(), by: [] }), /,,1,0\r\n$/, 'an unknown cost is empty');
});

/** The mandatory columns of FOCUS 1.2 and those of the conditional ones that 1.3 of the notes on conventions names. */
const EXPECTED = `BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart
ChargeCategory ChargeClass ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost InvoiceIssuerName
ListCost PricingQuantity PricingUnit ProviderName PublisherName ServiceCategory ServiceName ChargeFrequency ConsumedQuantity
ConsumedUnit ResourceId SkuId SkuMeter SubAccountId Tags`.split(/\s/);

const SHAPES: Readonly<Record<FocusColumn['type'], RegExp>> = {
  string: /./s,
  decimal: /^-?\d+(\.\d+)?$/,
  datetime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  json: /^\{.*\}$/s,
};

const entries = fc.array(
  fc.record({
    minutes: fc.integer({ min: 0, max: 3 * 60 }),
    team: fc.constantFrom('search', '=evil', 'a,"b"'),
    target: fc.constantFrom('openai/gpt-5', 'local/x/y'),
    classes: fc.subarray([...USAGE_CLASSES]),
    tokens: fc.integer({ min: 1, max: 10 ** 6 }),
    nano: fc.integer({ min: 0, max: 10 ** 12 }),
    known: fc.boolean(),
    extra: fc.integer({ min: 0, max: 5 }),
  }),
  { maxLength: 40 },
);
const START = Date.UTC(2026, 9, 31, 22, 30);

t.test('FOCUS: columns and types of the specification; costs and quantities add up', async (t) => {
  for (const name of EXPECTED) t.ok(name in FOCUS_COLUMNS, name);
  const own = Object.keys(FOCUS_COLUMNS).filter((name) => name.startsWith('x_'));
  t.equal(Object.keys(FOCUS_COLUMNS).filter((name) => !/^([A-Z][A-Za-z]*|x_[A-Z][A-Za-z]*)$/.test(name)).length, 0);
  t.ok(own.length > 0);
  fc.assert(
    fc.property(entries, (samples) => {
      const report = new FocusReport(null);
      let cost = 0n;
      const tokens = new Map<string, bigint>();
      samples.forEach((sample, at) => {
        const parts = Object.fromEntries(sample.classes.map((name) => [name, sample.nano]));
        const usage = Object.fromEntries(sample.classes.map((name) => [name, sample.tokens]));
        const total = sample.classes.length * sample.nano + sample.extra;
        if (sample.known) cost += BigInt(total);
        if (sample.known && sample.classes.includes('output')) {
          tokens.set(sample.target, (tokens.get(sample.target) ?? 0n) + BigInt(sample.tokens));
        }
        report.add(
          final(String(at), {
            time: new Date(START + sample.minutes * 60_000).toISOString(),
            labels: { team: sample.team },
            target: sample.target,
            usage,
            cost_parts: parts,
            cost_nano_usd: sample.known ? total : null,
          }),
        );
      });
      const [head = [], ...lines] = readCsv([...report.lines()].join(''));
      t.same(head, Object.keys(FOCUS_COLUMNS));
      t.equal(report.unpriced, samples.filter(({ known }) => !known).length);
      const rows = lines.map((line) => Object.fromEntries(head.map((name, at) => [name, line[at] ?? ''])));
      for (const row of rows) {
        for (const [name, column] of Object.entries<FocusColumn>(FOCUS_COLUMNS)) {
          const cell = row[name] ?? '';
          if (cell === '' ? !column.nullable : !SHAPES[column.type].test(cell)) t.fail(`${name}: ${cell}`);
        }
        const span = Date.parse(row['ChargePeriodEnd'] ?? '') - Date.parse(row['ChargePeriodStart'] ?? '');
        t.equal(span, 3_600_000);
        t.ok(Date.parse(row['BillingPeriodStart'] ?? '') <= Date.parse(row['ChargePeriodStart'] ?? ''));
        t.ok(Date.parse(row['ChargePeriodEnd'] ?? '') <= Date.parse(row['BillingPeriodEnd'] ?? ''));
      }
      t.equal(
        rows.reduce((sum, row) => sum + nanoDollars(row['BilledCost'] ?? ''), 0n),
        cost,
      );
      for (const [target, count] of tokens) {
        const of = rows.filter((row) => row['SkuId'] === target && row['SkuMeter'] === 'Output Tokens');
        t.equal(
          of.reduce((sum, row) => sum + BigInt(row['ConsumedQuantity'] ?? ''), 0n),
          count,
        );
      }
    }),
    { numRuns: 50 },
  );
});

t.test('FOCUS: one line', async (t) => {
  const report = new FocusReport(['team']);
  const entry = (id: string, changes: Partial<FinalEntry>) =>
    final(id, { time: '2026-10-31T23:59:59.999Z', labels: { team: 'search', secret: 'x' }, ...changes });
  report.add(entry('a', { usage: { input: 100 }, cost_parts: { input: 125_000 }, cost_nano_usd: 125_000 }));
  report.add(entry('b', { usage: { input: 50 }, cost_parts: { input: 1 }, cost_nano_usd: 1, usage_source: 'mixed' }));
  report.add(entry('c', { type: 'refusal', usage: {}, usage_source: null, cost_nano_usd: 0, cost_parts: {} }));
  const [head = [], line = [], rest] = readCsv([...report.lines()].join(''));
  t.equal(rest, undefined);
  t.match(Object.fromEntries(head.map((name, at) => [name, line[at]])), {
    BilledCost: '0.000125001',
    BillingCurrency: 'USD',
    BillingPeriodStart: '2026-10-01T00:00:00Z',
    BillingPeriodEnd: '2026-11-01T00:00:00Z',
    ChargePeriodStart: '2026-10-31T23:00:00Z',
    ChargePeriodEnd: '2026-11-01T00:00:00Z',
    ChargeCategory: 'Usage',
    ConsumedQuantity: '150',
    ConsumedUnit: 'Tokens',
    ProviderName: 'openai',
    ResourceId: 'web',
    ServiceCategory: 'AI and Machine Learning',
    SkuId: 'openai/gpt-5',
    SkuMeter: 'Input Tokens',
    SubAccountId: 'search',
    Tags: '{"team":"search"}',
    x_Model: 'smart',
    x_Requests: '2',
    x_EstimatedRequests: '1',
  });
});

/** Answers as the records database does: newest first, pages that may be short, every entry once. */
function pagedRecords(entries: readonly FinalEntry[]): Parameters<typeof recordEntries>[0] {
  const newestFirst = [...new Map(entries.map((entry) => [entry.id, entry])).values()].reverse();
  return {
    async entries({ cursor, from, to }) {
      const start = Number(cursor ?? 0);
      const data = newestFirst
        .slice(start, start + 1)
        .filter((entry) => isWithin(entry, { from: from ?? null, to: to ?? null }));
      return { data, next: start + 1 < newestFirst.length ? String(start + 1) : null };
    },
  };
}

t.test('each source gives each request of the span once', async (t) => {
  const times = [
    ['before', '2026-10-31T23:59:59.999Z'],
    ['first', '2026-11-01T00:00:00.000Z'],
    ['first', '2026-11-01T00:00:00.000Z'],
    ['last', '2026-11-30T23:59:59.999Z'],
    ['after', '2026-12-01T00:00:00.000Z'],
  ] as const;
  const entries = times.map(([id, time]) => final(id, { time }));
  const directory = temporaryDirectory(t);
  const { ledger } = testLedger(directory);
  for (const entry of entries) {
    await held(ledger, hold(`${entry.id}-hold`));
    ledger.finish(entry);
  }
  await ledger.close();
  const span = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  for (const source of [ledgerEntries(directory), recordEntries(pagedRecords(entries))]) {
    const taken: string[] = [];
    const all: string[] = [];
    t.same(await source.eachEntry(span, (entry) => taken.push(entry.id)), { damages: 0 });
    await source.eachEntry({}, (entry) => all.push(entry.id));
    t.same(taken.sort(), ['first', 'last']);
    t.equal(all.length, 4);
  }
});
