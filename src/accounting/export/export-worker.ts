import { parentPort, workerData } from 'node:worker_threads';
import { giveWay } from '../give-way.js';
import type { ExportWork, FromExporters, ToExporters } from './export-protocol.js';
import { LedgerExporter } from './ledger-exporter.js';

/** The thread of all exporters. Started by start-exporters.ts; ends by itself after `close`. */
const BACKLOG_EVERY_MS = 1_000;

giveWay();
const { exporters, ledgerDirectory, directory, timing } = workerData as ExportWork;
const tell = (message: FromExporters): void => parentPort?.postMessage(message);

const running = exporters.map(
  (settings) =>
    new LedgerExporter({
      settings,
      ledgerDirectory,
      directory,
      timing,
      fetch,
      now: Date.now,
      random: Math.random,
      onProblem: (message) => tell({ kind: 'problem', name: settings.name, message }),
      onEvents: (outcome, count) => tell({ kind: 'events', outcome, count }),
    }),
);

const report = (): void => tell({ kind: 'backlog', backlog: running.map((exporter) => exporter.backlog()) });
const reporting = setInterval(report, BACKLOG_EVERY_MS);

parentPort?.on('message', (message: ToExporters) => {
  if (message === 'close') void close();
});

async function close(): Promise<void> {
  await Promise.all(running.map((exporter) => exporter.close()));
  clearInterval(reporting);
  report();
  parentPort?.close();
}
