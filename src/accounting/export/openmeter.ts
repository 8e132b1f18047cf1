import { bearer, type Destination, type ExportSettings, isBillable, properties, wholeEvent } from './destination.js';

const MOST_EVENTS = 1_000;

/**
 * CloudEvents in a batch, known by `source` and `id` (https://openmeter.io/docs): one for each billable request. Meters sum up fields
 * of `data`, such as `$.input`.
 */
export function openmeter({ secret, batch }: ExportSettings): Destination {
  return {
    limits: { events: Math.min(batch, MOST_EVENTS), parallel: 1, remembersMs: null },
    eventsOf(entry, customer) {
      if (!isBillable(entry)) return [];
      return customer === '' ? 'no customer' : [wholeEvent(entry, customer)];
    },
    request(events) {
      const batched = events.map((event) => ({
        specversion: '1.0',
        id: event.id,
        source: 'tollgate',
        type: 'tollgate.request',
        subject: event.customer,
        time: event.entry.time,
        datacontenttype: 'application/json',
        data: properties(event),
      }));
      const headers = { 'content-type': 'application/cloudevents-batch+json', ...bearer(secret) };
      return { headers, body: JSON.stringify(batched) };
    },
    refusals: () => ({ events: new Map() }),
  };
}
