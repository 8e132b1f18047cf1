import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../write-atomically.js';
import { minorText } from './amount.js';
import { minorDigits } from './currency.js';
import type { InvoiceContent } from './invoice.js';

/** An invoice as it leaves the house. */
export interface Invoice extends InvoiceContent {
  /** `open`: the period has not ended, nothing is fixed yet. */
  readonly status: 'open' | 'closed';
  /** 0 while open, 1 for the first export of a closed period, more when a later one differed. */
  readonly revision: number;
  /** When this revision was exported first, ISO 8601 UTC; null while open. */
  readonly issued: string | null;
  /** What a later revision changed. */
  readonly note: string | null;
}

export interface InvoiceShelf {
  /** Where issued invoices are kept, one file for each revision. Made when missing. */
  readonly directory: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Gives the invoice of a closed period its revision and keeps it, so that exporting it again gives the same bytes; when entries came
 * late (or prices were changed for the past) it is a new revision that says so. Older ones stay beside it. One made of fewer requests
 * than before is not believed: the kept one is the answer.
 * Rejects with what the disk says, or when a kept invoice cannot be read.
 */
export async function issueInvoice(content: InvoiceContent, shelf: InvoiceShelf): Promise<Invoice> {
  if (Date.parse(content.to) > shelf.now) {
    return withHead(content, { status: 'open', revision: 0, issued: null, note: 'the period has not ended' });
  }
  const path = join(shelf.directory, `${content.id}.json`);
  const before = await readInvoice(path);
  // Entries come late, but never go: what is missing now was deleted from the ledger meanwhile.
  if (before !== null && requestsOf(content) < requestsOf(before)) return before;
  if (before !== null && fingerprint(before) === fingerprint(content)) return before;
  const invoice = withHead(content, {
    status: 'closed',
    revision: (before?.revision ?? 0) + 1,
    issued: new Date(shelf.now).toISOString(),
    note: before === null ? null : noteOf(before, content),
  });
  await writeAtomically(
    join(shelf.directory, `${content.id}.r${invoice.revision}.json`),
    `${JSON.stringify(invoice)}\n`,
  );
  await writeAtomically(path, `${JSON.stringify(invoice)}\n`);
  return invoice;
}

/** In the order in which a person reads it. */
function withHead(content: InvoiceContent, head: Omit<Invoice, keyof InvoiceContent>): Invoice {
  const { id, customer, from, to, totals, lines, uncharged } = content;
  return { id, customer, from, to, ...head, totals, lines, uncharged };
}

async function readInvoice(path: string): Promise<Invoice | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as Invoice);
}

function fingerprint({ totals, lines, uncharged }: InvoiceContent): string {
  return createHash('sha256')
    .update(JSON.stringify([totals, lines, uncharged]))
    .digest('hex');
}

function noteOf(before: Invoice, after: InvoiceContent): string {
  const more = requestsOf(after) - requestsOf(before);
  const currencies = [...new Set([...before.totals, ...after.totals].map(({ currency }) => currency))].sort();
  const changes = currencies.flatMap((currency) => {
    const change = minorOf(after, currency) - minorOf(before, currency);
    const sign = change > 0n ? '+' : '';
    return change === 0n ? [] : [`${currency} ${sign}${minorText(change, minorDigits(currency))}`];
  });
  const late = more === 0 ? 'the same requests, other figures' : `+${more} requests`;
  return `replaces revision ${before.revision} of ${before.issued ?? '?'}: ${[late, ...changes].join(', ')}`;
}

function requestsOf({ lines, uncharged }: InvoiceContent): number {
  return [...lines, ...uncharged].reduce((sum, { requests }) => sum + requests, 0);
}

function minorOf({ totals }: InvoiceContent, currency: string): bigint {
  return BigInt(totals.find((total) => total.currency === currency)?.amount_minor ?? 0);
}
