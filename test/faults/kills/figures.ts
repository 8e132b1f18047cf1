import type { FinalEntry, LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import type { Served } from './counting-provider.js';
import type { Sent } from './load.js';

/**
 * How a request that reached a provider ended. `recovered`: its final entry was written after the service had died.
 * `crossed`: the client left in the moment in which the provider wrote a whole JSON answer, of which nobody between saw a byte.
 */
export const ENDINGS = [
  'whole',
  'cut by client',
  'crossed',
  'recovered, whole',
  'recovered, cut by client',
  'not answered',
] as const;
export type Ending = (typeof ENDINGS)[number];

/** Tokens and money of one class of requests, as the provider and as the ledger counted them. */
export interface Sums {
  requests: number;
  settle: number;
  estimate: number;
  void: number;
  provider_input: number;
  ledger_input: number;
  provider_output: number;
  ledger_output: number;
  provider_nano_usd: number;
  ledger_nano_usd: number;
  /** Requests for which the ledger has less money than the provider's count is worth, and the sum that is missing. */
  below: number;
  below_nano_usd: number;
}

/** One request that reached a provider, from all sides. */
export interface Joined {
  readonly sent: Sent;
  /** All its attempts, oldest first. */
  readonly served: readonly Served[];
  readonly finals: readonly FinalEntry[];
  readonly ending: Ending;
}

export interface Figures {
  readonly sent: number;
  /** By status; 0: the client left before there was one. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Requests of which a provider saw at least one attempt. */
  readonly reached: number;
  /** Of these: asked twice, left by their clients. */
  readonly failovers: number;
  readonly left: number;
  /** Requests that reached a provider and have no final entry, or several. */
  readonly missing: number;
  readonly double: number;
  /** Final entries that cost something, of requests that no provider had read: `unread` when their client had left. */
  readonly unfounded: number;
  readonly unread: number;
  /** Answers that nobody left and that ended before their end. */
  readonly truncated: number;
  readonly endings: Readonly<Record<Ending, Sums>>;
  /** All classes but the whole ones. */
  readonly cut: Sums;
}

/** Nano-dollars of one token. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

export function joinAll(sent: readonly Sent[], served: readonly Served[], entries: readonly LedgerEntry[]): Joined[] {
  const servedBy = Map.groupBy(served, ({ marker }) => marker);
  const finalsBy = Map.groupBy(finalEntries(entries), ({ user }) => user);
  return sent.flatMap((each) => {
    const attempts = servedBy.get(each.plan.marker);
    if (!attempts) return [];
    const finals = finalsBy.get(each.plan.marker) ?? [];
    return [{ sent: each, served: attempts, finals, ending: endingOf(each, attempts, finals) }];
  });
}

export function finalEntries(entries: readonly LedgerEntry[]): FinalEntry[] {
  return entries.filter((entry): entry is FinalEntry => entry.type !== 'hold');
}

function endingOf({ left, plan: { stream } }: Sent, served: readonly Served[], finals: readonly FinalEntry[]): Ending {
  if (!served.some(({ status }) => status === 200)) return 'not answered';
  const recovered = finals.some((entry) => entry.recovered === true);
  if (left && !stream && served.some(({ output }) => output > 0)) return 'crossed';
  if (recovered) return left ? 'recovered, cut by client' : 'recovered, whole';
  return left ? 'cut by client' : 'whole';
}

export function figuresOf(
  sent: readonly Sent[],
  joined: readonly Joined[],
  { entries, price }: { readonly entries: readonly LedgerEntry[]; readonly price: Price },
): Figures {
  const endings = Object.fromEntries(ENDINGS.map((ending) => [ending, noSums()])) as Record<Ending, Sums>;
  const cut = noSums();
  for (const each of joined) {
    add(endings[each.ending], each, price);
    if (each.ending !== 'whole') add(cut, each, price);
  }
  const reached = new Set(joined.map((each) => each.sent.plan.marker));
  const leavers = new Set(sent.filter(({ left }) => left).map(({ plan }) => plan.marker));
  const unseen = finalEntries(entries).filter(({ user, cost_nano_usd }) => cost_nano_usd !== 0 && !reached.has(user));
  const statuses: Record<number, number> = {};
  for (const { status } of sent) statuses[status] = (statuses[status] ?? 0) + 1;
  return {
    sent: sent.length,
    statuses,
    reached: joined.length,
    failovers: joined.filter((each) => each.served.length > 1).length,
    left: joined.filter((each) => each.sent.left).length,
    missing: joined.filter(({ finals }) => finals.length === 0).length,
    double: joined.filter(({ finals }) => finals.length > 1).length,
    unfounded: unseen.filter(({ user }) => !leavers.has(user)).length,
    unread: unseen.filter(({ user }) => leavers.has(user)).length,
    truncated: sent.filter(({ status, left, complete }) => status === 200 && !left && !complete).length,
    endings,
    cut,
  };
}

function noSums(): Sums {
  return {
    requests: 0,
    settle: 0,
    estimate: 0,
    void: 0,
    provider_input: 0,
    ledger_input: 0,
    provider_output: 0,
    ledger_output: 0,
    provider_nano_usd: 0,
    ledger_nano_usd: 0,
    below: 0,
    below_nano_usd: 0,
  };
}

function add(sums: Sums, { served, finals }: Joined, price: Price): void {
  const answered = served.filter(({ status }) => status === 200);
  const input = sumOf(answered, (each) => each.input);
  const output = sumOf(answered, (each) => each.output);
  const provider = input * price.input + output * price.output;
  const ledger = sumOf(finals, (entry) => entry.cost_nano_usd ?? 0);
  sums.requests += 1;
  for (const { type } of finals) if (type !== 'refusal') sums[type] += 1;
  sums.provider_input += input;
  sums.ledger_input += sumOf(finals, (entry) => entry.usage.input ?? 0);
  sums.provider_output += output;
  sums.ledger_output += sumOf(finals, (entry) => entry.usage.output ?? 0);
  sums.provider_nano_usd += provider;
  sums.ledger_nano_usd += ledger;
  sums.below += ledger < provider ? 1 : 0;
  sums.below_nano_usd += Math.max(0, provider - ledger);
}

export function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
