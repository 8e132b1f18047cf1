import {
  bearer,
  type Destination,
  type ExportSettings,
  isBillable,
  properties,
  type Refusals,
  wholeEvent,
} from './destination.js';

/** https://docs.getlago.com/api-reference/events/batch */
const MOST_EVENTS = 100;

/**
 * Lago's batch of events, known by `transaction_id`: one for each billable request, for the subscription that is named as the
 * customer. Lago takes a batch whole or not at all and says which events it does not take.
 */
export function lago({ secret, batch }: ExportSettings): Destination {
  return {
    limits: { events: Math.min(batch, MOST_EVENTS), parallel: 1, remembersMs: null },
    eventsOf(entry, customer) {
      if (!isBillable(entry)) return [];
      return customer === '' ? 'no customer' : [wholeEvent(entry, customer)];
    },
    request(events) {
      const batched = events.map((event) => ({
        transaction_id: event.id,
        external_subscription_id: event.customer,
        code: 'tollgate_request',
        timestamp: Math.floor(Date.parse(event.entry.time) / 1000),
        properties: properties(event),
      }));
      const headers = { 'content-type': 'application/json', ...bearer(secret) };
      return { headers, body: JSON.stringify({ events: batched }) };
    },
    refusals,
  };
}

/** `{"error_details": {"0": {"transaction_id": ["value_already_exist"]}, …}}`, by place in the batch. */
function refusals(answer: string): Refusals {
  const events = new Map<number, { known: boolean; reason: string }>();
  for (const [place, details] of Object.entries(errorDetails(answer))) {
    if (!/^\d{1,4}$/.test(place)) continue;
    const reason = JSON.stringify(details);
    // An event that is wrong in another way too is not the one that it has.
    const known = /^\{"transaction_id":\["value_already_exist"\]\}$/.test(reason);
    events.set(Number(place), { known, reason });
  }
  return { events };
}

function errorDetails(answer: string): object {
  try {
    const { error_details: details } = JSON.parse(answer) as { readonly error_details?: unknown };
    return typeof details === 'object' && details !== null ? details : {};
  } catch {
    return {};
  }
}
