import type { InvoiceLine, UnchargedLine } from '../accounting/billing/invoice.js';
import type { Invoice } from '../accounting/billing/issue-invoice.js';

/** One invoice for people: its head, its lines, what is not charged, the totals. */
export function invoiceTable(invoice: Invoice): string {
  const { customer, status, revision, note } = invoice;
  const state = status === 'open' ? 'open' : `revision ${revision}`;
  const head = `${customer}  ${day(invoice.from)} to ${day(invoice.to)}  ${invoice.id}  ${state}\n`;
  const rows = [
    ['PLAN', 'MODEL', 'REQUESTS', 'ESTIMATED', 'COST USD', 'CHARGED'],
    ...invoice.lines.map((line) => [
      line.plan,
      line.model,
      grouped(line.requests),
      grouped(line.estimated_requests),
      costText(line),
      `${line.amount} ${line.currency}`,
    ]),
    ...invoice.uncharged.map((line) => [
      line.plan ?? '-',
      line.model,
      grouped(line.requests),
      grouped(line.estimated_requests),
      costText(line),
      `not charged: ${line.reason}`,
    ]),
    ...invoice.totals.map((total) => ['TOTAL', '', '', '', '', `${total.amount} ${total.currency}`]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const pad = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const body = rows.map((cells) => `  ${cells.map(pad).join('  ').trimEnd()}\n`).join('');
  return head + (note === null ? '' : `  ${note}\n`) + body;
}

function costText({ cost_usd: cost, unpriced_requests: unpriced }: InvoiceLine | UnchargedLine): string {
  if (cost === null) return 'unknown';
  return unpriced === 0 ? cost : `${cost} + unknown`;
}

/** Midnight is a day, anything else a time. */
function day(time: string): string {
  return time.replace('T00:00:00.000Z', '');
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
