import { join } from 'node:path';
import { createBiller } from '../accounting/billing/biller.js';
import { collectInvoices } from '../accounting/billing/collect-invoices.js';
import { invoiceCsv } from '../accounting/billing/invoice-csv.js';
import { type Invoice, issueInvoice } from '../accounting/billing/issue-invoice.js';
import { AdminError, json, type Reply } from './reply.js';
import type { Call, Route } from './route.js';
import { csv } from './usage-routes.js';

/** What customers are charged. */
export const invoiceRoutes: readonly Route[] = [
  {
    path: '/api/v1/invoices',
    summary: 'What customers are charged for a period; a closed period gives the same invoice each time',
    access: 'token',
    query: {
      from: 'ISO 8601, inclusive',
      to: 'ISO 8601, exclusive',
      customer: 'One customer; all when left out',
      format: 'json (default) or csv',
    },
    handle: invoices,
  },
];

async function invoices({ query, dependencies }: Call): Promise<Reply> {
  const { billing, dataDirectory } = dependencies.snapshot();
  if (billing === null) throw new AdminError(404, 'not_found', 'No billing is configured.');
  if (dependencies.entries === undefined) throw new AdminError(404, 'not_found', 'This gateway keeps no entries.');
  const [from, to] = [query.time('from'), query.time('to')];
  if (from === null || to === null || from >= to) {
    throw new AdminError(400, 'invalid_parameter', 'from, to: both are needed, and from is before to.', {
      param: 'from',
    });
  }
  const format = query.choice('format', ['json', 'csv']) ?? 'json';
  const question = { customer: query.text('customer'), from, to };
  const collected = await collectInvoices(dependencies.entries(), createBiller(billing), question);
  const issued: Invoice[] = [];
  for (const invoice of collected.invoices) {
    issued.push(await issueInvoice(invoice, { directory: join(dataDirectory, 'invoices'), now: Date.now() }));
  }
  if (format === 'csv') return csv(invoiceCsv(issued));
  const { withoutCustomer: without_customer, damages } = collected;
  return json(200, { data: issued, next: null, without_customer, damages });
}
