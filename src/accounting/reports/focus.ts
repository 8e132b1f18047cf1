import type { FinalEntry } from '../ledger/entry.js';
import { csvLine } from './csv-line.js';
import { dollars } from './dollars.js';
import { FOCUS_COLUMNS, type FocusColumnName } from './focus-columns.js';
import { meterName } from './focus-meter.js';

const HOUR_MS = 3_600_000;
const COLUMNS = Object.keys(FOCUS_COLUMNS) as readonly FocusColumnName[];

/** What one row is about: an hour of one key's use of one meter of one target. */
interface Subject {
  /** Epoch milliseconds. */
  readonly hour: number;
  readonly target: string;
  /** The name that was asked for. */
  readonly model: string;
  readonly key: string;
  readonly team: string;
  /** JSON object. */
  readonly tags: string;
  /** A usage class, or what else `cost_parts` names. */
  readonly part: string;
}

interface Charge {
  readonly subject: Subject;
  cost: bigint;
  quantity: bigint;
  requests: number;
  estimated: number;
}

/**
 * Sums up final entries as FOCUS charges: one for each hour, target, key, set of labels and kind of token. A cost may not be empty
 * there and an unknown one is not 0, so requests without a known price are left out and counted in `unpriced`; refusals
 * and requests that cost nothing by nature are no charges.
 */
export class FocusReport {
  readonly #labels: readonly string[] | null;
  readonly #charges = new Map<string, Charge>();
  #unpriced = 0;

  /** `labels`: those that become tags; null = all. */
  constructor(labels: readonly string[] | null) {
    this.#labels = labels;
  }

  /** Requests with usage that are not in the report, because their price is unknown. */
  get unpriced(): number {
    return this.#unpriced;
  }

  add(entry: FinalEntry): void {
    if (entry.type === 'void' || entry.type === 'refusal') return;
    const arrived = Date.parse(entry.time);
    if (entry.cost_nano_usd === null || Number.isNaN(arrived)) {
      this.#unpriced += 1;
      return;
    }
    const about = {
      hour: Math.floor(arrived / HOUR_MS) * HOUR_MS,
      target: entry.target ?? entry.attempts.at(-1)?.target ?? '',
      model: entry.model,
      key: entry.key,
      team: entry.labels['team'] ?? '',
      tags: JSON.stringify(this.#tags(entry)),
    };
    const estimated = entry.usage_source === 'provider' ? 0 : 1;
    for (const { part, nano, quantity } of partsOf(entry, entry.cost_nano_usd)) {
      const charge = this.#charge({ ...about, part });
      charge.cost += nano;
      charge.quantity += quantity;
      charge.requests += 1;
      charge.estimated += estimated;
    }
  }

  /** The lines of the CSV file, its head first. */
  *lines(): Generator<string> {
    yield csvLine(COLUMNS);
    for (const charge of this.#charges.values()) {
      const cells = focusCells(charge);
      yield csvLine(COLUMNS.map((column) => cells[column] ?? ''));
    }
  }

  #charge(subject: Subject): Charge {
    const { hour, target, model, key, tags, part } = subject;
    const id = JSON.stringify([iso(hour), target, model, key, tags, part]);
    let charge = this.#charges.get(id);
    if (!charge) {
      charge = { subject, cost: 0n, quantity: 0n, requests: 0, estimated: 0 };
      this.#charges.set(id, charge);
    }
    return charge;
  }

  #tags({ labels }: FinalEntry): Readonly<Record<string, string>> {
    const wanted = Object.entries(labels).filter(([name]) => this.#labels === null || this.#labels.includes(name));
    return Object.fromEntries(wanted.sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}

interface Part {
  readonly part: string;
  readonly nano: bigint;
  readonly quantity: bigint;
}

/** Every class that was used or charged; their costs add up to the entry's. */
function partsOf(entry: FinalEntry, total: number): Part[] {
  const usage: Readonly<Record<string, number | undefined>> = entry.usage;
  const names = new Set([...Object.keys(usage), ...Object.keys(entry.cost_parts)]);
  const parts = [...names].map((part) => ({
    part,
    nano: whole(entry.cost_parts[part]),
    // A price for each request is charged once where no units are counted.
    quantity: whole(usage[part]) || 1n,
    used: whole(usage[part]) > 0n,
  }));
  const rest = whole(total) - parts.reduce((sum, { nano }) => sum + nano, 0n);
  const charged = parts.filter(({ nano, used }) => nano !== 0n || used);
  return rest === 0n ? charged : [...charged, { part: 'other', nano: rest, quantity: 1n }];
}

function focusCells({
  subject,
  ...sums
}: Charge): Readonly<Partial<Record<FocusColumnName, string | number | bigint>>> {
  const provider = subject.target.split('/', 1)[0] || 'unknown';
  const cost = dollars(sums.cost);
  const { meter, unit } = meterName(subject.part);
  const month = new Date(subject.hour);
  const period = (months: number) => iso(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + months));
  return {
    BilledCost: cost,
    EffectiveCost: cost,
    ListCost: cost,
    ContractedCost: cost,
    BillingAccountId: provider,
    BillingAccountName: provider,
    BillingCurrency: 'USD',
    BillingPeriodStart: period(0),
    BillingPeriodEnd: period(1),
    ChargePeriodStart: iso(subject.hour),
    ChargePeriodEnd: iso(subject.hour + HOUR_MS),
    ChargeCategory: 'Usage',
    ChargeDescription: `${meter} of ${subject.target}`,
    ChargeFrequency: 'Usage-Based',
    ConsumedQuantity: sums.quantity,
    ConsumedUnit: unit,
    PricingCategory: 'Standard',
    PricingQuantity: sums.quantity,
    PricingUnit: unit,
    ProviderName: provider,
    PublisherName: provider,
    InvoiceIssuerName: provider,
    ResourceId: subject.key,
    ResourceName: subject.key,
    ResourceType: subject.key === '' ? '' : 'Gateway key',
    ServiceCategory: 'AI and Machine Learning',
    ServiceName: provider,
    ServiceSubcategory: 'Generative AI',
    SkuId: subject.target,
    SkuMeter: meter,
    SubAccountId: subject.team,
    SubAccountName: subject.team,
    SubAccountType: subject.team === '' ? '' : 'Team',
    Tags: subject.tags,
    x_Model: subject.model,
    x_Requests: sums.requests,
    x_EstimatedRequests: sums.estimated,
  };
}

/** FOCUS wants UTC without fractions of a second. */
function iso(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

function whole(value: number | undefined): bigint {
  return value !== undefined && Number.isFinite(value) ? BigInt(Math.round(value)) : 0n;
}
