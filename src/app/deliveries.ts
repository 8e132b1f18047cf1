import { join } from 'node:path';
import { type Alerts, createAlerts } from '../accounting/alerts/create-alerts.js';
import { type Exporters, startExporters } from '../accounting/export/start-exporters.js';
import type { Snapshot } from '../config/snapshot.js';
import type { Log } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';

export interface DeliveryOptions {
  /** In use now. */
  readonly snapshot: () => Snapshot;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** What leaves for other systems, besides requests: alerts and events of usage. */
export interface Deliveries {
  readonly alerts: Alerts;
  readonly exporters: Exporters;
  close(): Promise<void>;
}

export function startDeliveries({ snapshot, metrics, log }: DeliveryOptions): Deliveries {
  const { dataDirectory, ledger, exporters: configured } = snapshot();
  const alerts = createAlerts({
    settings: () => snapshot().alerts,
    now: Date.now,
    random: Math.random,
    fetch,
    onProblem: (message, error) => log.failure(message, error),
    onOutcome: (_kind, outcome) => metrics.countKind('alerts', outcome),
    statePath: join(dataDirectory, 'alerts.json'),
  });
  const exporters = startExporters({
    ledgerDirectory: ledger.directory,
    dataDirectory,
    exporters: configured,
    onProblem: (message, error) => log.failure(message, error),
    onEvents(outcome, count) {
      for (let number = 0; number < count; number += 1) metrics.countKind('export_events', outcome);
    },
  });
  metrics.watchSeries('export_waiting_entries', () =>
    exporters.backlog().map(({ name, entries_behind: behind }) => [name, behind] as const),
  );
  metrics.watchSeries('export_oldest_seconds', () =>
    exporters.backlog().map(({ name, oldest_unsent_ms: oldest }) => [name, oldest / 1000] as const),
  );
  return {
    alerts,
    exporters,
    async close() {
      await Promise.all([alerts.close(), exporters.close()]);
    },
  };
}
