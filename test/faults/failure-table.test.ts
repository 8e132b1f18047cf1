/** What a client and a provider see when the service fails, for each phase and each way to fail, on a real Envoy. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { renderBootstrapYaml } from '../../src/envoy/bootstrap.js';
import { waitForListener } from '../../src/envoy/envoy-admin.js';
import { clusterName } from '../../src/envoy/names.js';
import { startEnvoy } from '../../src/envoy/run-envoy.js';
import { opened, type Received } from '../e2e/client.js';
import { envoyBinary } from '../e2e/harness.js';
import { startScripted, streamScript } from '../e2e/scripted.js';
import { settings } from '../envoy/snapshots.js';
import type { Action, Phase } from './failing-processor.js';

/** What must come of it: refused before any provider saw it, or the provider's answer with every byte. */
type Outcome = 'refused' | 'whole';
type Row = readonly [phase: Phase, action: Action, outcome: Outcome];

const TABLE: readonly Row[] = [
  ['request_headers', 'end', 'refused'],
  ['request_headers', 'error', 'refused'],
  ['request_headers', 'kill', 'refused'],
  ['request_headers', 'silence', 'refused'],
  ['request_headers', 'spurious', 'refused'],
  ['request_body', 'end', 'refused'],
  ['request_body', 'error', 'refused'],
  ['request_body', 'kill', 'refused'],
  ['request_body', 'silence', 'refused'],
  ['request_body', 'spurious', 'refused'],
  ['request_body', 'bad-header', 'refused'],
  ['request_body', 'bad-length', 'refused'],
  ['response_headers', 'end', 'whole'],
  ['response_headers', 'error', 'whole'],
  ['response_headers', 'kill', 'whole'],
  ['response_headers', 'silence', 'whole'],
  ['response_body', 'end', 'whole'],
  ['response_body', 'error', 'whole'],
  ['response_body', 'kill', 'whole'],
  ['response_body', 'silence', 'whole'],
  ['chunk', 'end', 'whole'],
  ['chunk', 'error', 'whole'],
  ['chunk', 'kill', 'whole'],
  ['chunk', 'silence', 'whole'],
];

const WORDS = Array.from({ length: 40 }, (_, at) => `word${at} `);
/** The pause before the word at which the service fails, so that it comes in a chunk of its own. */
const PAUSE = 20;
const BODY = Buffer.from('{"model":"m","stream":true}');

const directory = mkdtempSync(join(tmpdir(), 'tg-table-'));
const socket = join(directory, 'extproc.sock');
const provider = await startScripted();
provider.on('m', { ...streamScript('m', WORDS), hold: PAUSE });
const whole = streamScript('m', WORDS).chunks.join('');

mkdirSync(join(directory, 'logs'));
const bootstrapPath = join(directory, 'envoy.yaml');
const options = {
  socket,
  cdsPath: null,
  accessLogPath: join(directory, 'logs', 'access.jsonl'),
  attemptLogPath: join(directory, 'logs', 'attempts.jsonl'),
  caBundle: '/dev/null',
  messageTimeoutMs: 400,
};
writeFileSync(bootstrapPath, renderBootstrapYaml(settings({ providers: { p: provider.baseUrl } }), options));
const envoy = startEnvoy({
  binary: envoyBinary(),
  bootstrapPath,
  logPath: join(directory, 'logs', 'envoy.log'),
  adminAddressPath: join(directory, 'admin.txt'),
  concurrency: 1,
  onExit: () => {},
});
let service = await startService();
const { host, port } = await waitForListener(await envoy.admin(), 15_000);

t.teardown(async () => {
  service.kill('SIGKILL');
  await envoy.stop(0);
  await provider.close();
  rmSync(directory, { recursive: true, force: true });
});

async function startService(): Promise<ChildProcess> {
  rmSync(socket, { force: true });
  const path = fileURLToPath(new URL('./failing-processor.js', import.meta.url));
  const child = fork(path, [socket, clusterName('p')], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'message');
  return child;
}

async function restarted(): Promise<void> {
  if (service.exitCode === null && service.signalCode === null) await once(service, 'exit');
  service = await startService();
}

/** @param until what the second half of the body waits for */
async function ask(script: string, until: Promise<unknown> = Promise.resolve()): Promise<Received> {
  async function* halves() {
    yield BODY.subarray(0, 10);
    await until;
    yield BODY.subarray(10);
  }
  const headers = {
    'x-tollgate-metadata': script,
    'content-type': 'application/json',
    'content-length': String(BODY.length),
  };
  const asked = opened(`http://${host}:${port}/v1/chat/completions`, { headers, body: halves() });
  // A streamed answer is seen so far before the rest is sent; a buffered one is held back by Envoy.
  const buffered = script.startsWith('response_body');
  if (!buffered && (await asked).status === 200) await (await asked).until(`word${PAUSE - 2} `);
  if (buffered || (await asked).status === 200) await provider.held(1);
  provider.release();
  return (await asked).finished();
}

function checkRefused(t: Test, answer: Received): void {
  t.equal(answer.status, 503);
  t.match(answer.headers, { 'content-type': /^application\/json/, 'retry-after': '1' });
  t.match(JSON.parse(answer.text), {
    error: { code: 'gateway_unavailable', type: 'api_error', message: String, param: null },
  });
}

function checkWhole(t: Test, answer: Received): void {
  t.equal(answer.status, 200);
  t.ok(answer.complete);
  t.equal(answer.text, whole, 'every byte');
}

t.test('nothing fails', async (t) => checkWhole(t, await ask('')));

for (const [phase, action, outcome] of TABLE) {
  t.test(`${action} at ${phase}: ${outcome}`, async (t) => {
    const seen = provider.begun;
    const failed = action === 'kill' ? once(service, 'exit') : once(service, 'message');
    const answer = await ask(`${phase} ${action}`);
    await failed;
    if (outcome === 'refused') checkRefused(t, answer);
    else checkWhole(t, answer);
    t.equal(provider.begun - seen, outcome === 'refused' ? 0 : 1, 'requests that the provider saw');
    if (action === 'kill') await restarted();
  });
}

/** Kills the service when it has answered the headers, while Envoy still waits for the rest of the body. */
async function killBetween(script: string): Promise<Received> {
  const killed = once(service, 'message').then(() => {
    service.kill('SIGKILL');
    return once(service, 'exit');
  });
  const answer = await ask(script, killed);
  return answer;
}

t.test('SIGKILL between the headers and the body: refused', async (t) => {
  const seen = provider.begun;
  checkRefused(t, await killBetween('request_headers report'));
  t.equal(provider.begun, seen);
});

t.test('nothing listens: refused', async (t) => {
  const seen = provider.begun;
  checkRefused(t, await ask(''));
  rmSync(socket, { force: true });
  checkRefused(t, await ask(''));
  t.equal(provider.begun, seen);
  await restarted();
  checkWhole(t, await ask(''));
});

// The one way through. It is why the service decides in its last answer of the request, never before.
t.test('a decision given too early outlives the service', async (t) => {
  checkWhole(t, await killBetween('request_headers pass-early'));
});
