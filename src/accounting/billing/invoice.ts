import { createHash } from 'node:crypto';
import { USAGE_CLASSES, type Usage, type UsageClass } from '../../dialects/usage.js';
import type { FinalEntry } from '../ledger/entry.js';
import { dollars } from '../reports/dollars.js';
import { type Amount, exactText, minorText, toMinorUnits } from './amount.js';
import type { Biller, Charge, UnchargedReason } from './biller.js';
import { minorDigits } from './currency.js';

/** What a line sums up. */
interface LineFigures {
  /** The same for the same customer, period and subject, whenever it is made. */
  readonly id: string;
  /** The name that was asked for. */
  readonly model: string;
  readonly requests: number;
  /** Requests whose usage was counted by us, in whole or in part. */
  readonly estimated_requests: number;
  readonly usage: Readonly<Partial<Usage>>;
  /** What these requests cost, as far as it is known: dollars, exact; null when of none. */
  readonly cost_usd: string | null;
  readonly unpriced_requests: number;
}

/** One plan and model. */
export interface InvoiceLine extends LineFigures {
  readonly plan: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly basis: 'list' | 'cost';
  /** Rates of exchange that were used, as configured. */
  readonly rates: readonly string[];
  /** Minor units (cents), rounded half up once, here. */
  readonly amount_minor: number;
  /** The same in the currency's unit. */
  readonly amount: string;
  /** Before rounding, all digits. */
  readonly amount_exact: string;
}

/** Requests that were used and are not charged. */
export interface UnchargedLine extends LineFigures {
  readonly reason: UnchargedReason;
  readonly plan: string | null;
  /** Some of them, to look at. */
  readonly request_ids: readonly string[];
}

export interface InvoiceTotal {
  readonly currency: string;
  /** Sum of the lines. */
  readonly amount_minor: number;
  readonly amount: string;
}

export interface InvoiceContent {
  readonly id: string;
  readonly customer: string;
  /** ISO 8601 UTC, by the time requests arrived: inclusive. */
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  /** One for each currency; a customer's plans usually have one. */
  readonly totals: readonly InvoiceTotal[];
  readonly lines: readonly InvoiceLine[];
  readonly uncharged: readonly UnchargedLine[];
}

export interface InvoicePeriod {
  readonly customer: string;
  /** Epoch milliseconds, inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Makes an invoice of all entries of a customer and period at once. Entries of others are not charged to this one. */
export function createInvoice(period: InvoicePeriod, biller: Biller, entries: Iterable<FinalEntry>): InvoiceContent {
  const draft = new InvoiceDraft(period, biller);
  for (const entry of entries) {
    const time = Date.parse(entry.time);
    const covered = time >= period.from && time < period.to;
    if (covered && biller.customerOf(entry) === period.customer) draft.add(entry);
  }
  return draft.finish();
}

/** An invoice that is being summed up. The order of entries makes no difference. */
export class InvoiceDraft {
  readonly #period: InvoicePeriod;
  readonly #biller: Biller;
  readonly #sums = new Map<string, Sums>();

  constructor(period: InvoicePeriod, biller: Biller) {
    this.#period = period;
    this.#biller = biller;
  }

  /** An entry of this customer and period, each once. */
  add(entry: FinalEntry): void {
    const charge = this.#biller.chargeOf(entry);
    if (charge.kind === 'nothing') return;
    const about =
      charge.kind === 'charged' ? [charge.plan, charge.currency, charge.basis] : [charge.plan ?? '', charge.reason];
    const key = JSON.stringify([charge.kind, ...about, entry.model]);
    let sums = this.#sums.get(key);
    if (!sums) {
      sums = new Sums(this.#id('line', key), entry.model, charge);
      this.#sums.set(key, sums);
    }
    sums.add(entry, charge);
  }

  finish(): InvoiceContent {
    const all = [...this.#sums].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, sums]) => sums);
    const lines = all.flatMap((sums) => sums.line() ?? []);
    return {
      id: this.#id('invoice', ''),
      customer: this.#period.customer,
      from: new Date(this.#period.from).toISOString(),
      to: new Date(this.#period.to).toISOString(),
      totals: totalsOf(lines),
      lines,
      uncharged: all.flatMap((sums) => sums.uncharged() ?? []),
    };
  }

  #id(kind: 'invoice' | 'line', subject: string): string {
    const { customer, from, to } = this.#period;
    const hash = createHash('sha256')
      .update(JSON.stringify([customer, from, to, subject]))
      .digest('hex');
    return `${kind === 'invoice' ? 'inv' : 'li'}_${hash.slice(0, 32)}`;
  }
}

const MOST_REQUEST_IDS = 20;

class Sums {
  readonly #id: string;
  readonly #model: string;
  readonly #first: Charge;
  readonly #tokens = new Map<UsageClass, bigint>();
  readonly #rates = new Set<string>();
  #ids: string[] = [];
  #amount: Amount = 0n;
  #cost = 0n;
  #requests = 0;
  #estimated = 0;
  #unpriced = 0;

  constructor(id: string, model: string, first: Charge) {
    this.#id = id;
    this.#model = model;
    this.#first = first;
  }

  add(entry: FinalEntry, charge: Charge): void {
    this.#requests += 1;
    if (entry.usage_source !== 'provider') this.#estimated += 1;
    if (entry.cost_nano_usd === null) this.#unpriced += 1;
    else this.#cost += BigInt(Math.round(entry.cost_nano_usd));
    for (const name of USAGE_CLASSES) {
      const tokens = entry.usage[name];
      if (tokens) this.#tokens.set(name, (this.#tokens.get(name) ?? 0n) + BigInt(Math.round(tokens)));
    }
    if (charge.kind === 'charged') {
      this.#amount += charge.amount;
      if (charge.rate !== null) this.#rates.add(charge.rate);
    } else this.#remember(entry.id);
  }

  line(): InvoiceLine | null {
    if (this.#first.kind !== 'charged') return null;
    const { plan, currency, basis } = this.#first;
    const digits = minorDigits(currency);
    const minor = toMinorUnits(this.#amount, digits);
    return {
      ...this.#figures(),
      plan,
      currency,
      basis,
      rates: [...this.#rates].sort(),
      amount_minor: Number(minor),
      amount: minorText(minor, digits),
      amount_exact: exactText(this.#amount),
    };
  }

  uncharged(): UnchargedLine | null {
    if (this.#first.kind !== 'uncharged') return null;
    const { plan, reason } = this.#first;
    return { ...this.#figures(), reason, plan, request_ids: this.#ids };
  }

  #figures(): LineFigures {
    const usage: Partial<Usage> = {};
    for (const name of USAGE_CLASSES) {
      const tokens = this.#tokens.get(name);
      if (tokens !== undefined) usage[name] = Number(tokens);
    }
    return {
      id: this.#id,
      model: this.#model,
      requests: this.#requests,
      estimated_requests: this.#estimated,
      usage,
      cost_usd: this.#unpriced === this.#requests ? null : dollars(this.#cost),
      unpriced_requests: this.#unpriced,
    };
  }

  /** The first by name, so that the order of entries makes no difference. */
  #remember(id: string): void {
    const last = this.#ids.at(-1);
    if (this.#ids.length >= MOST_REQUEST_IDS && last !== undefined && id > last) return;
    this.#ids = [...this.#ids, id].sort().slice(0, MOST_REQUEST_IDS);
  }
}

function totalsOf(lines: readonly InvoiceLine[]): InvoiceTotal[] {
  const sums = new Map<string, bigint>();
  for (const line of lines) sums.set(line.currency, (sums.get(line.currency) ?? 0n) + BigInt(line.amount_minor));
  const sorted = [...sums].sort(([left], [right]) => (left < right ? -1 : 1));
  return sorted.map(([currency, minor]) => ({
    currency,
    amount_minor: Number(minor),
    amount: minorText(minor, minorDigits(currency)),
  }));
}
