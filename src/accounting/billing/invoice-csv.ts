import { USAGE_CLASSES } from '../../dialects/usage.js';
import { csvLine } from '../reports/csv-line.js';
import type { InvoiceLine, UnchargedLine } from './invoice.js';
import type { Invoice } from './issue-invoice.js';

const HEAD = [
  ...['invoice_id', 'revision', 'status', 'customer', 'from', 'to', 'line_id', 'plan', 'model', 'requests'],
  ...USAGE_CLASSES,
  ...['estimated_requests', 'cost_usd', 'unpriced_requests', 'basis', 'rates', 'currency'],
  ...['amount_minor', 'amount', 'amount_exact', 'uncharged'],
];

/** One line for each line of each invoice; what is not charged has an empty amount and the reason in `uncharged`. */
export function invoiceCsv(invoices: readonly Invoice[]): string {
  const lines = invoices.flatMap((invoice) => [
    ...invoice.lines.map((line) => csvLine([...common(invoice, line), ...amounts(line)])),
    ...invoice.uncharged.map((line) => csvLine([...common(invoice, line), '', '', '', '', '', '', line.reason])),
  ]);
  return [csvLine(HEAD), ...lines].join('');
}

function common(invoice: Invoice, line: InvoiceLine | UnchargedLine): (string | number)[] {
  const { id, revision, status, customer, from, to } = invoice;
  return [
    ...[id, revision, status, customer, from, to, line.id, line.plan ?? '', line.model, line.requests],
    ...USAGE_CLASSES.map((name) => line.usage[name] ?? 0),
    ...[line.estimated_requests, line.cost_usd ?? '', line.unpriced_requests],
  ];
}

function amounts(line: InvoiceLine): (string | number)[] {
  const { basis, rates, currency, amount_minor, amount, amount_exact } = line;
  return [basis, rates.join(' '), currency, amount_minor, amount, amount_exact, ''];
}
