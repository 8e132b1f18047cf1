import type { FinalEntry } from '../ledger/entry.js';

/** What the exporter of one destination is told, plain data that goes to another thread. */
export interface ExportSettings {
  readonly name: string;
  readonly kind: 'webhook' | 'openmeter' | 'lago' | 'stripe';
  readonly url: string;
  readonly secret: string | null;
  /** Most events in one request. */
  readonly batch: number;
  /** Field that names the customer, as in billing. */
  readonly customer: string;
}

/** One thing to tell. */
export interface ExportEvent {
  /** The receiver's key against counting twice: the request's id, with the class behind it where a request is several events. */
  readonly id: string;
  readonly entry: FinalEntry;
  readonly customer: string;
  /** For receivers that take one number an event. */
  readonly meter: string | null;
  readonly value: number;
}

export interface ExportRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a receiver's refusal (400, 413, 422) says about the events of the request. */
export interface Refusals {
  /** By place in the request: `known` = it has that event already. */
  readonly events: ReadonlyMap<number, { readonly known: boolean; readonly reason: string }>;
}

/** How one kind of receiver is talked to. */
export interface Destination {
  readonly limits: {
    /** Most events that it takes in one request. */
    readonly events: number;
    /** Requests at the same time. */
    readonly parallel: number;
    /** How long it remembers an event's id; null = for good. */
    readonly remembersMs: number | null;
  };
  /** None when the receiver has no use for the entry; `no customer` when it would have, but the entry names nobody. */
  eventsOf(entry: FinalEntry, customer: string): readonly ExportEvent[] | 'no customer';
  /** `now` in epoch milliseconds. */
  request(events: readonly ExportEvent[], now: number): ExportRequest;
  /** Empty when the answer does not say which event it is about. */
  refusals(answer: string): Refusals;
}

/** Whether there is something to bill. */
export function isBillable({ type }: FinalEntry): boolean {
  return type === 'settle' || type === 'estimate';
}

/** An entry as one event. */
export function wholeEvent(entry: FinalEntry, customer: string): ExportEvent {
  return { id: entry.id, entry, customer, meter: null, value: 0 };
}

export function bearer(secret: string | null): Readonly<Record<string, string>> {
  return secret === null ? {} : { authorization: `Bearer ${secret}` };
}

/** What a meter may want to sum up or group by, flat. */
export function properties({ entry }: ExportEvent): Readonly<Record<string, string | number | null>> {
  const labels = Object.entries(entry.labels).map(([name, value]) => [`label_${name}`, value]);
  return {
    ...Object.fromEntries(labels),
    key: entry.key,
    user: entry.user,
    endpoint: entry.endpoint,
    model: entry.model,
    target: entry.target,
    usage_source: entry.usage_source,
    ...entry.usage,
    ...(entry.cost_nano_usd === null ? {} : { cost_nano_usd: entry.cost_nano_usd }),
  };
}
