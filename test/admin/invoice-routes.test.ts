import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { billing } from '../accounting/billing/samples.js';
import { snapshot } from './sample-snapshot.js';
import { start } from './start-admin.js';

t.test('invoices', async (t) => {
  const { get, dependencies } = await start(t);
  t.match(await get('/api/v1/invoices?from=2026-10-01&to=2026-11-01'), { status: 404 }, 'no billing');
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-invoices-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const billed = { ...snapshot(), billing: billing({ customer: 'key' }), dataDirectory: directory };
  Object.assign(dependencies, { snapshot: () => billed });
  for (const query of [
    '',
    '?from=2026-11-01',
    '?from=2026-11-02&to=2026-11-01',
    '?from=2026-10-01&to=2026-11-01&format=x',
  ]) {
    t.equal((await get(`/api/v1/invoices${query}`)).status, 400, query);
  }
  const closed = await get('/api/v1/invoices?from=2026-10-01&to=2026-11-01&customer=web');
  t.match(closed.body, {
    next: null,
    data: [{ customer: 'web', status: 'closed', revision: 1, lines: [{ requests: 1 }] }],
  });
  t.equal((await get('/api/v1/invoices?from=2026-10-01&to=2026-11-01&customer=web')).text, closed.text);
  const csv = await get('/api/v1/invoices?from=2026-10-01&to=2026-11-01&format=csv');
  t.match(csv.text, /^invoice_id,.*\r\ninv_[0-9a-f]{32},1,closed,web,/);
});

t.test('exporters and alerts', async (t) => {
  const { get, dependencies } = await start(t);
  t.same((await get('/api/v1/exporters')).body, { data: [], next: null });
  t.match((await get('/api/v1/alerts')).body, { waiting: 0, last_error: null });
  const backlog = {
    ...{ name: 'meter', kind: 'openmeter', entries_behind: 3, bytes_behind: 900, oldest_unsent_ms: 60_000 },
    ...{ sent: 10, rejected: 1, without_customer: 2, last_error: 'answered 500' },
  };
  Object.assign(dependencies, {
    exporters: () => [backlog],
    alerts: () => ({ waiting: 2, oldest_ms: 9, lost: 1, last_error: 'ECONNREFUSED' }),
  });
  t.same((await get('/api/v1/exporters')).body, { data: [backlog], next: null });
  t.same((await get('/api/v1/alerts')).body, { waiting: 2, oldest_ms: 9, lost: 1, last_error: 'ECONNREFUSED' });
});
