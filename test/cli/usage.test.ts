import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { UsageReport } from '../../src/accounting/records/usage-report.js';
import { ledgerCommand } from '../../src/cli/ledger.js';
import { monthFlag, parseTime } from '../../src/cli/time-flag.js';
import { usageCommand } from '../../src/cli/usage.js';
import { usageTable } from '../../src/cli/usage-table.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../accounting/samples.js';

const NOW = Date.UTC(2026, 10, 21, 12);

function view(by: readonly string[]) {
  const report = new UsageReport(by);
  report.add(final('a', { usage: { input: 1_000, cache_read: 500, output: 20 }, cost_nano_usd: 12_500_000_000 }));
  report.add(final('b', { model: '=fast', target: 'local/x', cost_nano_usd: null, usage_source: 'estimated' }));
  return { rows: report.rows(), by, from: null, to: null };
}

t.test('the table', async (t) => {
  t.equal(
    usageTable(view(['model', 'team'])),
    [
      'MODEL  TEAM    REQUESTS  ERRORS  INPUT  CACHED  OUTPUT              COST  UNPRICED  ESTIMATED',
      'smart  search         1       0  1,500     500      20            $12.50         0          0',
      '=fast  search         1       0    100       0      20           unknown         1          1',
      'TOTAL                 2       0  1,600     500      40  $12.50 + unknown         1          1',
      '',
    ].join('\n'),
  );
  const report = new UsageReport(['model']);
  report.add(final('a', { model: 'free', cost_nano_usd: 0 }));
  report.add(final('b', { model: 'unpriced', cost_nano_usd: null }));
  const hidden = usageTable({ ...view(['model']), rows: report.rows() });
  t.match(hidden, /^free .*\$0\.00 /m);
  t.match(hidden, /^TOTAL .* unknown /m, 'no $0.00 that hides something');
  const mixed = new UsageReport(['team']);
  mixed.add(final('a', { cost_nano_usd: 12_500_000_000 }));
  mixed.add(final('b', { cost_nano_usd: null }));
  t.match(usageTable({ ...view(['team']), rows: mixed.rows() }), / \$12\.50 \+ unknown +1 +0$/m, 'in one row too');
  t.match(usageTable({ ...view([]), rows: [], from: NOW }), /^No requests yet since 2026-11-21T12:00/);
});

t.test('times', async (t) => {
  t.equal(parseTime('24h', NOW), NOW - 86_400_000);
  t.equal(parseTime('-7d', NOW), NOW - 7 * 86_400_000);
  t.equal(parseTime('2026-11-01', NOW), Date.UTC(2026, 10, 1));
  t.equal(parseTime('2026-11-01T08:00', NOW), Date.UTC(2026, 10, 1, 8));
  t.equal(parseTime('2026-11-01T08:00+02:00', NOW), Date.UTC(2026, 10, 1, 6));
  t.same(monthFlag('2026-12'), { from: Date.UTC(2026, 11, 1), to: Date.UTC(2027, 0, 1) });
  for (const bad of ['2026-13', '2026-1', '2026']) t.throws(() => monthFlag(bad), /must be a month/);
  for (const bad of ['yesterday', '7', '2026-99-01', '2026-02-31', '2026-11-01x', ''])
    t.throws(() => parseTime(bad, NOW), /must be a date/);
});

const CONFIG = `admin: { token: a-long-admin-token }
ledger: { directory: ledger }
runtime_directory: run
providers: { local: { kind: ollama } }
`;

function setUp(directory: string): string {
  const path = join(directory, 'tollgate.yaml');
  writeFileSync(path, CONFIG);
  mkdirSync(join(directory, 'run'));
  return path;
}

/** What a command prints. */
async function printed(t: Test, run: () => Promise<unknown>): Promise<string> {
  const captured = t.capture(process.stdout, 'write', () => true);
  await run();
  const text = captured()
    .map(({ args }) => String(args[0]))
    .join('');
  captured.restore();
  return text;
}

t.test('reads the ledger when no gateway answers', async (t) => {
  const directory = temporaryDirectory(t);
  const config = setUp(directory);
  writeFileSync(join(directory, 'run', 'addresses.json'), '{"admin":"127.0.0.1:1"}');
  const arguments_ = ['--config', config, '--format', 'json', '--by', 'team'];
  const usage = () => usageCommand().parseAsync(arguments_, { from: 'user' });
  t.same(JSON.parse(await printed(t, usage)), { data: [] });
  const { ledger } = testLedger(join(directory, 'ledger'));
  await held(ledger, hold('a'));
  ledger.finish(final('a'));
  await ledger.close();
  t.match(JSON.parse(await printed(t, usage)), { data: [{ team: 'search', requests: 1, cost_nano_usd: 325_000 }] });
  const focus = ['--config', config, '--format', 'focus', '--from', '-1d'];
  const lines = (await printed(t, () => usageCommand().parseAsync(focus, { from: 'user' }))).split('\r\n');
  t.equal(lines.length, 4, 'a head, input, output, and the last line end');
  await t.rejects(usageCommand().parseAsync(['--config', config, '--from', '1d', '--to', '2d'], { from: 'user' }));
  const verify = () => ledgerCommand().parseAsync(['verify', '--config', config], { from: 'user' });
  t.match(await printed(t, verify), /^2 entries in 1 segment .*\n0 open holds.*\nok\n$/);
});

t.test('a gateway that cannot answer says why', async (t) => {
  const directory = temporaryDirectory(t);
  const config = setUp(directory);
  let status = 503;
  const server = createServer((_request, response) => {
    response.writeHead(status).end(JSON.stringify({ error: { message: 'the records cannot be read: no such host' } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(directory, 'run', 'addresses.json'), JSON.stringify({ admin: `127.0.0.1:${port}` }));
  const usage = () => usageCommand().parseAsync(['--config', config], { from: 'user' });
  await t.rejects(usage(), {
    message: `the gateway at 127.0.0.1:${port} answered 503: the records cannot be read: no such host`,
  });
  status = 401;
  await t.rejects(usage(), { message: `the gateway at 127.0.0.1:${port} refuses this admin.token` });
});

t.test('asks the running gateway with its token', async (t) => {
  const directory = temporaryDirectory(t);
  const config = setUp(directory);
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url, request.headers.authorization);
    response.end(JSON.stringify({ data: view(['model']).rows }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(directory, 'run', 'addresses.json'), JSON.stringify({ admin: `127.0.0.1:${port}` }));
  const arguments_ = ['--config', config, '--by', 'model', '--from', '2026-11-01'];
  t.match(await printed(t, () => usageCommand().parseAsync(arguments_, { from: 'user' })), /^smart .*\$12\.50/m);
  t.same(asked, ['/api/v1/usage?by=model&from=2026-11-01T00%3A00%3A00.000Z', 'Bearer a-long-admin-token']);
});
