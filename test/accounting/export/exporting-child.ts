import { startExporters } from '../../../src/accounting/export/start-exporters.js';

/** Run by exporter.test.ts as a process of its own: exports until it is killed. */
const [dataDirectory = '', url = '', batch = '10'] = process.argv.slice(2);
startExporters({
  ledgerDirectory: `${dataDirectory}/ledger`,
  dataDirectory,
  exporters: [{ name: 'hook', kind: 'webhook', url, secret: null, batch: Number(batch), customer: 'key' }],
  onProblem: () => undefined,
  timing: { pollMs: 5, firstMs: 2, mostMs: 20, timeoutMs: 30_000 },
});
setInterval(() => undefined, 60_000);
