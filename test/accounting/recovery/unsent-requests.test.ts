import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { unsentRequests } from '../../../src/accounting/recovery/unsent-requests.js';

const line = (id: string, attempts: number, more: object): string =>
  `${JSON.stringify({ attempts, generation: '1', id, status: 200, time: '2026-11-01T08:00:00.000Z', ...more })}\n`;

t.test('only what no service decided or could decide, and no provider was asked', async (t) => {
  const accessLogPath = join(t.testdir(), 'access.jsonl');
  t.same(await unsentRequests({ accessLogPath, since: 0, most: 10 }), [], 'no log');
  const lines = [
    line('undecided', 0, { generation: null, status: 503 }),
    line('left', 0, { generation: null, status: 0 }),
    line('unavailable', 0, { status: 503 }),
    line('refused', 0, { status: 429 }),
    line('served', 1, {}),
    line('failed', 1, { status: 503 }),
    line('unanswered', 2, { generation: null, status: 503 }),
    line('torn', 0, { generation: null }).slice(0, -1),
  ];
  writeFileSync(accessLogPath, lines.join(''));
  t.same(await unsentRequests({ accessLogPath, since: 0, most: 10 }), ['undecided', 'left', 'unavailable']);
  t.same(await unsentRequests({ accessLogPath, since: 0, most: 1 }), ['unavailable'], 'the newest');
});
