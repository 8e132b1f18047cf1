import { SIGNATURE_HEADER, signatureOf } from '../signature.js';
import { type Destination, type ExportSettings, wholeEvent } from './destination.js';

/** POSTs `{"exporter", "events": [entry with its customer, …]}`, signed; every finished request, refusals too. */
export function webhook({ name, secret, batch }: ExportSettings): Destination {
  return {
    limits: { events: batch, parallel: 1, remembersMs: null },
    eventsOf: (entry, customer) => [wholeEvent(entry, customer)],
    request(events, now) {
      const body = JSON.stringify({
        exporter: name,
        events: events.map(({ entry, customer }) => ({ ...entry, customer })),
      });
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (secret !== null) headers[SIGNATURE_HEADER] = signatureOf(body, secret, Math.floor(now / 1000));
      return { headers, body };
    },
    refusals: () => ({ events: new Map() }),
  };
}
