import { USAGE_CLASSES } from '../../dialects/usage.js';
import type { FinalEntry } from '../ledger/entry.js';
import { bearer, type Destination, type ExportEvent, type ExportSettings, isBillable } from './destination.js';

/** Identifiers are unique for at least 24 hours (https://docs.stripe.com/api/billing/meter-event/create); one for the way there. */
const REMEMBERS_MS = 23 * 3_600_000;
const PARALLEL = 8;

/**
 * Stripe's meter events, known by `identifier`: one for each class that a billable request used, named `tollgate_<class>`, and one
 * `tollgate_cost_nano_usd` where the cost is known. Stripe takes one in a request.
 */
export function stripe({ secret }: ExportSettings): Destination {
  return {
    limits: { events: 1, parallel: PARALLEL, remembersMs: REMEMBERS_MS },
    eventsOf(entry, customer) {
      if (!isBillable(entry)) return [];
      return customer === '' ? 'no customer' : meterEvents(entry, customer);
    },
    request([event]) {
      const seconds = Math.floor(Date.parse(event?.entry.time ?? '') / 1000);
      const body = new URLSearchParams({
        event_name: `tollgate_${event?.meter ?? ''}`,
        identifier: event?.id ?? '',
        timestamp: String(seconds),
        'payload[stripe_customer_id]': event?.customer ?? '',
        'payload[value]': String(event?.value ?? 0),
      });
      const headers = { 'content-type': 'application/x-www-form-urlencoded', ...bearer(secret) };
      return { headers, body: body.toString() };
    },
    refusals(answer) {
      // The code is documented; some answers only have the message.
      const known = /"duplicate_meter_event"|already exists with identifier/.test(answer);
      return { events: new Map(known ? [[0, { known, reason: 'known' }]] : []) };
    },
  };
}

function meterEvents(entry: FinalEntry, customer: string): ExportEvent[] {
  const event = (meter: string, value: number): ExportEvent => ({
    id: `${entry.id}:${meter}`,
    entry,
    customer,
    meter,
    value,
  });
  const used = USAGE_CLASSES.map((name) => event(name, entry.usage[name] ?? 0));
  return [...used, event('cost_nano_usd', entry.cost_nano_usd ?? 0)].filter(({ value }) => value > 0);
}
