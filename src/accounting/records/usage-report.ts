import { USAGE_CLASSES, type Usage, type UsageClass } from '../../dialects/usage.js';
import type { FinalEntry } from '../ledger/entry.js';
import { dollars } from '../reports/dollars.js';

/** One row of `GET /api/v1/usage` (design 1.8): the group's names as asked, then its sums. */
export type UsageRow = Readonly<Record<string, string | number | null | Readonly<Partial<Usage>>>> & {
  readonly requests: number;
  /** Requests that ended with a status of 400 or more. */
  readonly errors: number;
  /** Classes that were used; `input` and `output` always. */
  readonly usage: Readonly<Partial<Usage>>;
  /** Integer nano-dollars of what could be priced; null when nothing of what was used could be. */
  readonly cost_nano_usd: number | null;
  /** The same in dollars, exact also where a JSON number is not (above 9 million dollars). */
  readonly cost_usd: string | null;
  /** Requests with usage and no known price: the cost leaves them out. */
  readonly unpriced_requests: number;
  /** Requests whose usage was counted by us, in whole or in part. */
  readonly estimated_requests: number;
};

/** What each built-in name of `by` reads; every other name is a label of the request (team, customer…). */
const DIMENSIONS: Readonly<Record<string, (entry: FinalEntry) => string>> = {
  model: (entry) => entry.model,
  target: (entry) => entry.target ?? '',
  provider: (entry) => entry.target?.split('/', 1)[0] ?? '',
  key: (entry) => entry.key,
  user: (entry) => entry.user,
  endpoint: (entry) => entry.endpoint,
  status: (entry) => String(entry.status),
  code: (entry) => entry.code ?? '',
};

/** Sums of one group, exact whatever their size. */
export interface UsageTotals {
  readonly requests: number;
  readonly errors: number;
  /** Requests with usage that we counted, in whole or in part. */
  readonly estimated: number;
  /** Requests that were billed and whose price is known. */
  readonly priced: number;
  readonly unpriced: number;
  /** Nano-dollars. */
  readonly cost: bigint;
  /** Classes that were used. */
  readonly tokens: ReadonlyMap<UsageClass, bigint>;
}

interface Sums {
  readonly names: readonly string[];
  requests: number;
  errors: number;
  estimated: number;
  priced: number;
  unpriced: number;
  cost: bigint;
  readonly tokens: Map<UsageClass, bigint>;
}

/** Adds up final entries by the names in `by`; an entry without one of the labels counts under the empty string. */
export class UsageReport {
  readonly #by: readonly string[];
  readonly #groups = new Map<string, Sums>();

  constructor(by: readonly string[]) {
    this.#by = by;
  }

  add(entry: FinalEntry): void {
    const names = this.#by.map((name) => dimension(name, entry));
    const sums = this.#group(names);
    sums.requests += 1;
    if (entry.status >= 400) sums.errors += 1;
    if (entry.usage_source === 'estimated' || entry.usage_source === 'mixed') sums.estimated += 1;
    if (entry.cost_nano_usd === null) sums.unpriced += 1;
    else {
      sums.priced += entry.type === 'settle' || entry.type === 'estimate' ? 1 : 0;
      sums.cost += whole(entry.cost_nano_usd);
    }
    for (const name of USAGE_CLASSES) {
      const tokens = entry.usage[name];
      if (tokens) sums.tokens.set(name, (sums.tokens.get(name) ?? 0n) + whole(tokens));
    }
  }

  /** Groups so far. */
  get groups(): number {
    return this.#groups.size;
  }

  /** Adds what is summed up already for the group with these values of `by`. */
  addTotals(names: readonly string[], totals: UsageTotals): void {
    const sums = this.#group(names);
    sums.requests += totals.requests;
    sums.errors += totals.errors;
    sums.estimated += totals.estimated;
    sums.priced += totals.priced;
    sums.unpriced += totals.unpriced;
    sums.cost += totals.cost;
    for (const [name, tokens] of totals.tokens) sums.tokens.set(name, (sums.tokens.get(name) ?? 0n) + tokens);
  }

  /** Dearest first, then most requests, then by name. */
  rows(): UsageRow[] {
    const groups = [...this.#groups.values()].sort(dearestFirst);
    return groups.map((sums) => this.#row(sums));
  }

  #group(names: readonly string[]): Sums {
    const key = JSON.stringify(names);
    let sums = this.#groups.get(key);
    if (!sums) {
      const counts = { requests: 0, errors: 0, estimated: 0, priced: 0, unpriced: 0 };
      sums = { names, ...counts, cost: 0n, tokens: new Map() };
      this.#groups.set(key, sums);
    }
    return sums;
  }

  #row(sums: Sums): UsageRow {
    const usage: Partial<Usage> = { input: 0, output: 0 };
    for (const [name, tokens] of sums.tokens) usage[name] = Number(tokens);
    const unknown = sums.unpriced > 0 && sums.priced === 0;
    return {
      ...Object.fromEntries(this.#by.map((name, at) => [name, sums.names[at] ?? ''])),
      requests: sums.requests,
      errors: sums.errors,
      usage,
      cost_nano_usd: unknown ? null : Number(sums.cost),
      cost_usd: unknown ? null : dollars(sums.cost),
      unpriced_requests: sums.unpriced,
      estimated_requests: sums.estimated,
    };
  }
}

function dimension(name: string, entry: FinalEntry): string {
  const builtIn = Object.hasOwn(DIMENSIONS, name) ? DIMENSIONS[name] : undefined;
  if (builtIn) return builtIn(entry);
  return Object.hasOwn(entry.labels, name) ? (entry.labels[name] ?? '') : '';
}

function whole(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.round(value)) : 0n;
}

function dearestFirst(left: Sums, right: Sums): number {
  if (left.cost !== right.cost) return left.cost > right.cost ? -1 : 1;
  if (left.requests !== right.requests) return right.requests - left.requests;
  return left.names.join('\0') < right.names.join('\0') ? -1 : 1;
}
