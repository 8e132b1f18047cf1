import type { EntrySource } from '../reports/entry-source.js';
import type { Biller } from './biller.js';
import { type InvoiceContent, InvoiceDraft } from './invoice.js';

export interface InvoiceQuestion {
  /** Null = every customer of the period. */
  readonly customer: string | null;
  /** Epoch milliseconds, inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface Collected {
  /** By the customer's name; one asked for is there also without requests. */
  readonly invoices: readonly InvoiceContent[];
  /** Requests that were used and name no customer: on no invoice. */
  readonly withoutCustomer: number;
  /** Damaged places in the ledger. */
  readonly damages: number;
}

/** Sums up the invoices of a period in one pass over the entries. */
export async function collectInvoices(
  source: EntrySource,
  biller: Biller,
  question: InvoiceQuestion,
): Promise<Collected> {
  const { customer, from, to } = question;
  const drafts = new Map<string, InvoiceDraft>();
  const draftOf = (name: string): InvoiceDraft => {
    const draft = drafts.get(name) ?? new InvoiceDraft({ customer: name, from, to }, biller);
    drafts.set(name, draft);
    return draft;
  };
  if (customer !== null) draftOf(customer);
  let withoutCustomer = 0;
  const { damages } = await source.eachEntry({ from, to }, (entry) => {
    const name = biller.customerOf(entry);
    if (name === '') withoutCustomer += entry.usage_source === null ? 0 : 1;
    else if (customer === null || name === customer) draftOf(name).add(entry);
  });
  const sorted = [...drafts].sort(([left], [right]) => (left < right ? -1 : 1));
  return { invoices: sorted.map(([, draft]) => draft.finish()), withoutCustomer, damages };
}
