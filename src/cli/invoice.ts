import { join } from 'node:path';
import { Command, Option } from 'commander';
import { createBiller } from '../accounting/billing/biller.js';
import { collectInvoices, type InvoiceQuestion } from '../accounting/billing/collect-invoices.js';
import { invoiceCsv } from '../accounting/billing/invoice-csv.js';
import { type Invoice, issueInvoice } from '../accounting/billing/issue-invoice.js';
import { ledgerEntries } from '../accounting/reports/entry-source.js';
import type { Snapshot } from '../config/snapshot.js';
import { askAdmin } from './admin-client.js';
import { endOnBrokenPipe } from './broken-pipe.js';
import { withConfigFlag } from './flags.js';
import { invoiceTable } from './invoice-table.js';
import { readSnapshot } from './read-snapshot.js';
import { type MonthSpan, monthFlag, timeFlag } from './time-flag.js';
import { UserError } from './user-error.js';

interface InvoiceFlags {
  readonly customer?: string;
  readonly month?: MonthSpan;
  readonly from?: number;
  readonly to?: number;
  readonly format: 'table' | 'json' | 'csv';
  readonly config?: string;
}

/** `tollgate invoice`: what customers are charged. */
export function invoiceCommand(): Command {
  return withConfigFlag(new Command('invoice'))
    .description('what customers are charged for a period; a closed one gives the same invoice each time')
    .option('--customer <name>', 'one customer (default: all)')
    .option('--month <month>', 'a month of UTC: 2026-10', monthFlag)
    .option('--from <time>', 'instead of a month: requests since', timeFlag)
    .option('--to <time>', 'requests before', timeFlag)
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json', 'csv']).default('table'))
    .action(async (flags: InvoiceFlags) => {
      endOnBrokenPipe();
      const question = { customer: flags.customer ?? null, ...span(flags) };
      const answer = await fetchInvoices(readSnapshot(flags.config), question);
      process.stdout.write(invoiceText(flags.format, answer.data));
      if (answer.damages > 0) process.stderr.write('the ledger is damaged: run `tollgate ledger verify`\n');
      if (answer.without_customer > 0) {
        process.stderr.write(`on no invoice: ${answer.without_customer} requests that name no customer\n`);
      }
    });
}

interface InvoiceAnswer {
  readonly data: readonly Invoice[];
  readonly without_customer: number;
  readonly damages: number;
}

/** From the running gateway, which keeps what it issued; without one from the ledger, in the same place. */
async function fetchInvoices(snapshot: Snapshot, question: InvoiceQuestion): Promise<InvoiceAnswer> {
  if (snapshot.billing === null) throw new UserError('no billing is configured: docs/billing.md');
  const iso = (time: number) => new Date(time).toISOString();
  const query = { customer: question.customer, from: iso(question.from), to: iso(question.to) };
  const response = await askAdmin(snapshot, { path: '/api/v1/invoices', query });
  if (response !== null) return (await response.json()) as InvoiceAnswer;
  const source = ledgerEntries(snapshot.ledger.directory);
  const collected = await collectInvoices(source, createBiller(snapshot.billing), question);
  const data: Invoice[] = [];
  for (const invoice of collected.invoices) {
    data.push(await issueInvoice(invoice, { directory: join(snapshot.dataDirectory, 'invoices'), now: Date.now() }));
  }
  return { data, without_customer: collected.withoutCustomer, damages: collected.damages };
}

function span({ month, from, to }: InvoiceFlags): MonthSpan {
  if (month !== undefined && from === undefined && to === undefined) return month;
  if (month !== undefined || from === undefined || to === undefined || from >= to) {
    throw new UserError('give --month 2026-10, or --from and a later --to');
  }
  return { from, to };
}

function invoiceText(format: InvoiceFlags['format'], invoices: readonly Invoice[]): string {
  if (format === 'json') return `${JSON.stringify({ data: invoices }, null, 2)}\n`;
  return format === 'csv' ? invoiceCsv(invoices) : invoices.map(invoiceTable).join('\n');
}
