import { join } from 'node:path';
import { type AlertOptions, type Alerts, createAlerts } from '../accounting/alerts/create-alerts.js';
import { type Exporters, startExporters } from '../accounting/export/start-exporters.js';
import type { Snapshot } from '../config/snapshot.js';
import type { Log } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';
import { GatheredAlerts, RelayedAlerts } from './workers/relayed-alerts.js';
import { isFirst, type WorkerPlace } from './workers/worker-place.js';

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
  /** The alerts of the first of several workers, which also tells those of the others. */
  readonly gathered: GatheredAlerts | null;
  /** The alerts of the others until the first one asks for them. */
  readonly relayed: RelayedAlerts | null;
  close(): Promise<void>;
}

/** Of several workers the first one alone tells other systems. */
export function openDeliveries(options: DeliveryOptions, place: WorkerPlace): Deliveries {
  if (!isFirst(place)) {
    const relayed = new RelayedAlerts();
    return { alerts: relayed, exporters: NO_EXPORTERS, gathered: null, relayed, close: () => relayed.close() };
  }
  const told = createAlerts(alertOptions(options));
  const gathered = place.count === 1 ? null : new GatheredAlerts(told);
  const alerts = gathered ?? told;
  const exporters = startExport(options);
  return {
    alerts,
    exporters,
    gathered,
    relayed: null,
    async close() {
      await Promise.all([alerts.close(), exporters.close()]);
    },
  };
}

const NO_EXPORTERS: Exporters = { backlog: () => [], use: () => undefined, close: () => Promise.resolve() };

function alertOptions({ snapshot, metrics, log }: DeliveryOptions): AlertOptions {
  return {
    settings: () => snapshot().alerts,
    now: Date.now,
    random: Math.random,
    fetch,
    onProblem: (message, error) => log.failure(message, error),
    onOutcome: (_kind, outcome) => metrics.countKind('alerts', outcome),
    statePath: join(snapshot().dataDirectory, 'alerts.json'),
  };
}

function startExport({ snapshot, metrics, log }: DeliveryOptions): Exporters {
  const { dataDirectory, ledger, exporters: configured } = snapshot();
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
  return exporters;
}
