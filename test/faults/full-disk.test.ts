import { execFileSync } from 'node:child_process';
import { platform } from 'node:os';
import t from 'tap';
import { exchange, opened } from '../e2e/client.js';
import { type Gateway, startGateway } from '../e2e/harness.js';
import { startScripted, streamScript } from '../e2e/scripted.js';

const CHAT = '/v1/chat/completions';
const chat = (model: string, stream = false) => ({ model, stream, messages: [{ role: 'user', content: 'hi' }] });

/** Bounds the size of files that the running service may write: to it, 0 is a full disk. Root is not needed. */
function limitFiles(gateway: Gateway, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(gateway.pid('service')), `--fsize=${bytes}:`]);
}

const skip = platform() !== 'linux' && 'needs prlimit of Linux';

t.test('case 56: a disk without space: nothing new begins, nothing that runs is hurt', { skip }, async (t) => {
  const provider = await startScripted();
  t.teardown(() => provider.close());
  const gateway = await startGateway(t, {
    config: { providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl } } },
  });
  provider.on('long', { ...streamScript('long', ['one ', 'two ', 'three ']), hold: 2 });
  const streams = await Promise.all(
    Array.from({ length: 5 }, () =>
      opened(gateway.url + CHAT, {
        headers: { authorization: `Bearer ${gateway.key}` },
        body: JSON.stringify({ ...chat('p/long', true), stream_options: { include_usage: true } }),
      }),
    ),
  );
  await provider.held(5);
  await Promise.all(streams.map((stream) => stream.until('one ')));

  limitFiles(gateway, '0');
  const seen = provider.begun;
  for (let round = 0; round < 3; round += 1) {
    const refused = await gateway.post(CHAT, chat('p/x'));
    t.match(
      { status: refused.status, body: JSON.parse(refused.text) },
      { status: 503, body: { error: { code: 'ledger_unavailable' } } },
    );
    t.equal(refused.headers['retry-after'], '1');
  }
  t.equal(provider.begun, seen, 'no provider saw them');
  await gateway.metric('tollgate_ledger_writable', 0);
  const readiness = await exchange(`${gateway.adminUrl}/readyz`, { method: 'GET' });
  t.match({ status: readiness.status, text: readiness.text }, { status: 503, text: /ledger/ });
  t.equal((await exchange(`${gateway.adminUrl}/livez`, { method: 'GET' })).status, 200);

  provider.release();
  const whole = streamScript('long', ['one ', 'two ', 'three ']).chunks.join('');
  for (const stream of streams) t.equal((await stream.finished()).text, whole, 'running streams end whole');
  await gateway.metric('tollgate_ledger_waiting_entries', 5);
  t.equal(gateway.unsettled().length, 5);

  limitFiles(gateway, 'unlimited');
  await gateway.ready();
  const after = await gateway.post(CHAT, chat('p/x'));
  t.equal(after.status, 200, 'space returns, requests too');
  await gateway.record(after.headers['x-request-id'] ?? '');
  await gateway.metric('tollgate_ledger_open_holds', 0);
  t.same(gateway.unsettled(), [], 'what waited is written, once');
  const settled = gateway.ledger().filter((entry) => entry.type === 'settle');
  t.equal(settled.length, 6);
  for (const entry of settled) t.match(entry, { usage: { input: 7 } });
  const verified = await gateway.command('ledger', 'verify', '--format', 'json');
  t.match(JSON.parse(verified.stdout), { ok: true, damages: [], torn: [], open_holds: 0 });
});
