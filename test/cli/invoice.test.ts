import { join } from 'node:path';
import t from 'tap';
import { createBiller } from '../../src/accounting/billing/biller.js';
import { createInvoice } from '../../src/accounting/billing/invoice.js';
import { invoiceTable } from '../../src/cli/invoice-table.js';
import { billing, plan, planPrice } from '../accounting/billing/samples.js';
import { final, held, hold, testLedger } from '../accounting/samples.js';
import { directoryWith, runCommand } from './run-command.js';

const OCTOBER = { customer: 'acme', from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 10, 1) };

t.test('the table', async (t) => {
  const plans = [plan({ prices: [planPrice({ model: 'smart', request: '1234.5' })] })];
  const entry = (id: string, changes: object) =>
    final(id, { time: '2026-10-02T00:00:00Z', labels: { customer: 'acme' }, ...changes });
  const content = createInvoice(OCTOBER, createBiller(billing({ plans })), [
    entry('a', {}),
    entry('b', { cost_nano_usd: null }),
    entry('c', { model: 'fast', cost_nano_usd: null, usage_source: 'estimated' }),
  ]);
  const invoice = { ...content, id: 'inv_1', status: 'closed', revision: 2, issued: null, note: 'a note' } as const;
  t.equal(
    invoiceTable(invoice),
    [
      'acme  2026-10-01 to 2026-11-01  inv_1  revision 2',
      '  a note',
      '  PLAN      MODEL  REQUESTS  ESTIMATED            COST USD                    CHARGED',
      '  standard  smart         2          0  0.000325 + unknown                2469.00 EUR',
      '  standard  fast          1          1             unknown  not charged: unknown_cost',
      '  TOTAL                                                                   2469.00 EUR',
      '',
    ].join('\n'),
  );
});

t.test('mistakes are said', async (t) => {
  const directory = directoryWith(t, { 'tollgate.yaml': 'providers: { local: { kind: ollama } }\n' });
  const invoice = (...words: string[]) => runCommand({ module: 'invoice', make: 'invoiceCommand', words, directory });
  const [none, wrong, unbilled] = await Promise.all([
    invoice(),
    invoice('--month', '2026-13'),
    invoice('--month', '2026-10'),
  ]);
  t.match(none, { code: 1, stderr: /give --month/ });
  t.match(wrong, { code: 1, stderr: /must be a month/ });
  t.match(unbilled, { code: 1, stderr: /no billing is configured/ });
});

const CONFIG = `providers: { local: { kind: ollama } }
ledger: { directory: data/ledger }
billing:
  rates: [{ currency: EUR, per_dollar: 0.92 }]
  plans: [{ name: standard, currency: EUR, markup: 20% }]
`;

t.test('from the ledger: the same each time', async (t) => {
  const directory = directoryWith(t, { 'tollgate.yaml': CONFIG });
  const { ledger } = testLedger(join(directory, 'data', 'ledger'));
  const charged = { time: '2026-10-02T00:00:00Z', cost_nano_usd: 1_000_000_000 };
  for (const [id, labels] of [
    ['a', { customer: 'acme' }],
    ['b', { customer: 'acme' }],
    ['c', { customer: 'globex' }],
    ['d', { team: 'own' }],
  ] as const) {
    await held(ledger, hold(id));
    ledger.finish(final(id, { ...charged, labels }));
  }
  await ledger.close();
  const invoice = (...words: string[]) =>
    runCommand({ module: 'invoice', make: 'invoiceCommand', words: ['--month', '2026-10', ...words], directory });
  const first = await invoice('--customer', 'acme', '--format', 'json');
  t.equal(first.code, 0, first.stderr);
  t.match(first.stderr, 'on no invoice: 1 requests that name no customer');
  t.match(JSON.parse(first.stdout), {
    data: [{ customer: 'acme', revision: 1, totals: [{ currency: 'EUR', amount_minor: 221, amount: '2.21' }] }],
  });
  t.equal((await invoice('--customer', 'acme', '--format', 'json')).stdout, first.stdout);
  t.match(
    (await invoice('--format', 'csv')).stdout,
    /,acme,.*,EUR,221,2\.21,2\.208,\r\n.*,globex,.*,EUR,110,1\.10,1\.104,\r\n$/,
  );
});
