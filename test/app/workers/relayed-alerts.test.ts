import t from 'tap';
import type { AlertEvent } from '../../../src/accounting/alerts/alert-event.js';
import { GatheredAlerts, RelayedAlerts } from '../../../src/app/workers/relayed-alerts.js';

function recording() {
  const raised: AlertEvent[] = [];
  const finished: unknown[] = [];
  const alerts = {
    raise: (event: AlertEvent) => void raised.push(event),
    requestFinished: (entry: unknown) => void finished.push(entry),
    backlog: () => ({ waiting: 1, oldest_ms: 2, lost: 3, last_error: null }),
    close: () => Promise.resolve(),
  };
  return { raised, finished, gathered: new GatheredAlerts(alerts) };
}

t.test('what a worker has to say goes through the first one, the same thing once', async (t) => {
  const relayed = new RelayedAlerts();
  for (let round = 0; round < 3; round += 1) {
    relayed.raise({ kind: 'provider_auth', provider: 'p' });
    relayed.requestFinished({ usage_source: 'provider', cost_nano_usd: 1, target: 'p/a' });
  }
  relayed.requestFinished({ usage_source: 'mixed', cost_nano_usd: null, target: 'p/b' });
  relayed.requestFinished({ usage_source: null, cost_nano_usd: null, target: 'p/c' });
  const batch = relayed.take();
  t.same(batch, {
    events: [
      { kind: 'provider_auth', provider: 'p' },
      { kind: 'unpriced_model', target: 'p/b' },
    ],
    stated: 3,
    estimated: 1,
  });
  t.same(relayed.take(), { events: [], stated: 0, estimated: 0 }, 'handed out once');

  const { raised, finished, gathered } = recording();
  gathered.take(batch, 1);
  t.same(raised, batch.events);
  t.equal(finished.length, 4);
  t.equal(gathered.backlog().lost, 3);
});

t.test('a flood of different alerts is bounded', async (t) => {
  const relayed = new RelayedAlerts();
  for (let number = 0; number < 5_000; number += 1) relayed.raise({ kind: 'unpriced_model', target: `p/${number}` });
  t.equal(relayed.take().events.length, 1_000);
});

t.test('a lasting trouble begins with the first worker and ends with the last', async (t) => {
  const { raised, gathered } = recording();
  const kinds = () => raised.splice(0).map(({ kind }) => kind);
  gathered.raise({ kind: 'limit_store_down' });
  gathered.raise({ kind: 'limit_store_down' }, 1);
  t.same(kinds(), ['limit_store_down']);
  gathered.raise({ kind: 'limit_store_up' });
  t.same(kinds(), [], 'one worker still cannot ask');
  gathered.gone(1);
  t.same(kinds(), ['limit_store_up'], 'it has ended; its successor would say so again');
  gathered.raise({ kind: 'ledger_writable' }, 1);
  t.same(kinds(), [], 'nothing was wrong');
  gathered.raise({ kind: 'ledger_unwritable' }, 1);
  gathered.raise({ kind: 'provider_auth', provider: 'p' }, 1);
  t.same(kinds(), ['ledger_unwritable', 'provider_auth']);
});
