/** What the service can have done with failed attempts, on a real Envoy between a scripted processor and bad providers. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { ACCESS_LOG_FIELDS, ATTEMPT_LOG_FIELDS } from '../../src/envoy/access-log.js';
import { askEnvoy } from '../../src/envoy/envoy-admin.js';
import { clusterName } from '../../src/envoy/names.js';
import { startEnvoyUnderTest } from './envoy-under-test.js';
import { CERTIFICATE, startFaultProviders } from './fault-providers.js';
import type { Script } from './scripted-processor.js';

/** Longer than a good provider needs on a busy machine. */
const PER_TRY_MS = 400;
const RETRY_ON = 'x-envoy-retry-on';
const CODES = 'x-envoy-retriable-status-codes';
const TOKENS = 'data: {"token":1}\n\n'.repeat(3);

const providers = await startFaultProviders();
const envoy = await startEnvoyUnderTest(providers.urls, CERTIFICATE);
t.teardown(async () => {
  await envoy.stop();
  providers.stop();
});

type Headers = Readonly<Record<string, string>>;

/** A script whose attempts go to these providers, with what the service says about retries. */
function attempts(names: readonly string[], set: Headers, more: Partial<Script> = {}): Script {
  const clocks = {
    'x-envoy-max-retries': String(names.length - 1),
    'x-envoy-upstream-rq-per-try-timeout-ms': String(PER_TRY_MS),
  };
  return { targets: names.map(clusterName), set: { ...clocks, ...set }, ...more };
}

const EVERYTHING = { [RETRY_ON]: 'reset,connect-failure', [CODES]: '400,401,429,500,503,529' };
const PEEK = { ...EVERYTHING, 'x-tollgate-peek': '1' };
const SERVER_ERRORS = ['s500', 's503', 's529'];
const UNCONNECTED = ['refused', 'nowhere', 'impostor'];
const BROKEN_OFF = ['reset', 'fin'];
const FAULTS = ['s400', 's401', 's429', 'limited', ...SERVER_ERRORS, ...UNCONNECTED, ...BROKEN_OFF, 'hang', 'forged'];

/** What the service may say, and which faults then lead to the next attempt. */
const WAYS: readonly (readonly [Headers, readonly string[]])[] = [
  [{}, []],
  [{ [CODES]: '429' }, ['s429', 'limited']],
  [{ [RETRY_ON]: 'retriable-status-codes' }, []],
  [{ [RETRY_ON]: 'connect-failure' }, UNCONNECTED],
  [{ [RETRY_ON]: 'refused-stream' }, []],
  [{ [RETRY_ON]: 'reset' }, [...UNCONNECTED, ...BROKEN_OFF, 'hang']],
  [{ [RETRY_ON]: 'reset-before-request' }, UNCONNECTED],
  [{ [RETRY_ON]: '5xx' }, [...SERVER_ERRORS, ...UNCONNECTED, ...BROKEN_OFF, 'hang']],
  [{ [RETRY_ON]: 'gateway-error' }, ['s503', ...UNCONNECTED, ...BROKEN_OFF, 'hang']],
  [{ [RETRY_ON]: 'connect-failure', [CODES]: '401,429,529' }, ['s401', 's429', 'limited', 's529', ...UNCONNECTED]],
  [{ [RETRY_ON]: 'retriable-status-codes', [CODES]: '400,500,504' }, ['s400', 's500']],
  [{ [RETRY_ON]: 'retriable-headers', 'x-envoy-retriable-header-names': 'x-tollgate-retry' }, []],
  [EVERYTHING, FAULTS.filter((fault) => fault !== 'forged')],
];

t.test('what is tried again is what the request says', async (t) => {
  for (const [set, expected] of WAYS) {
    const replies = await Promise.all(FAULTS.map((fault) => envoy.ask(attempts([fault, 'good'], set))));
    const retried = FAULTS.filter((_, index) => replies[index]?.body === TOKENS);
    t.same(retried.toSorted(), expected.toSorted(), JSON.stringify(set));
  }
});

const UNREACHED = 'upstream_reset_before_response_started{remote_connection_failure|';
const ENDED = 'upstream_reset_before_response_started{connection_termination}';

/** Fault → what the client gets, and what access log and `request` role learn, after the second attempt. */
const EXHAUSTED: readonly (readonly [string, number, string, string])[] = [
  ['s401', 401, 'URX', 'via_upstream'],
  ['s429', 429, 'URX', 'via_upstream'],
  ['s529', 529, 'URX', 'via_upstream'],
  ['refused', 503, 'URX,UF', `${UNREACHED}delayed_connect_error:_Connection_refused}`],
  ['nowhere', 503, 'URX,UF', `${UNREACHED}delayed_connect_error:_Connection_refused}`],
  ['impostor', 503, 'URX,UF', `${UNREACHED}TLS_error`],
  ['reset', 503, 'URX,UC', ENDED],
  ['fin', 503, 'URX,UC', ENDED],
  ['hang', 504, 'URX,UT', 'upstream_per_try_timeout'],
];

t.test('when the last attempt has failed too', async (t) => {
  for (const [fault, status, flags, details] of EXHAUSTED) {
    const reply = await envoy.ask(attempts([fault, fault], EVERYTHING));
    t.equal(reply.status, status, fault);
    const line = await envoy.accessLine(reply.id);
    t.match(line, { status, flags, attempts: 2 });
    t.ok(String(line['details']).startsWith(details), String(line['details']));
    const seen = envoy.processor.seen.findLast((one) => one.rid === reply.id && one.phase === 'response_headers');
    t.match(seen, { role: 'request', headers: { ':status': String(status) } });
    t.match(seen?.attributes, { 'upstream.request_attempt_count': 2, 'xds.cluster_name': clusterName(fault) });
    t.ok(String(seen?.attributes['response.code_details']).startsWith(details));
  }
});

t.test('failed attempts are one line each, in their order', async (t) => {
  const names = ['s429', 'refused', 'broken', 'reset', 'hang', 'impostor', 'nowhere', 'reset200', 's503', 'good'];
  const reply = await envoy.ask(attempts(names, PEEK, { verdict: { ':status': '503' } }));
  t.match(reply, { status: 200, body: TOKENS });
  const lines = await envoy.attemptLines(reply.id);
  const line = (name: string, status: number, flags: string, failure: RegExp | null = null) => ({
    cluster: clusterName(name),
    status,
    flags,
    failure,
  });
  t.match(lines, [
    line('s429', 429, '-'),
    line('refused', 0, 'UF', /refused/i),
    line('broken', 503, '-'),
    line('reset', 0, 'UC'),
    line('hang', 0, 'UT'),
    line('impostor', 0, 'UF', /TLS_error.*CERTIFICATE_VERIFY_FAILED/),
    line('nowhere', 0, 'UF', /refused/i),
    line('reset200', 0, 'UPE'),
    line('s503', 503, '-'),
  ]);
  t.equal(lines.length, names.length - 1, 'none for the one that answered');
  t.same(Object.keys(lines[0] ?? {}).sort(), Object.keys(ATTEMPT_LOG_FIELDS).sort());
  t.ok(Number(lines[4]?.['ms']) >= PER_TRY_MS - 10, 'the time of the attempt alone');
  const whole = await envoy.accessLine(reply.id);
  t.same(Object.keys(whole).sort(), Object.keys(ACCESS_LOG_FIELDS).sort());
  const end = Date.parse(String(whole['time'])) + Number(whole['ms']);
  for (const { time, ms } of lines) {
    t.ok(
      Date.parse(String(time)) >= Date.parse(String(whole['time'])) && Date.parse(String(time)) + Number(ms) <= end + 1,
    );
  }
});

t.test('a failed attempt can be read soon', async (t) => {
  const before = readFileSync(envoy.attemptLogPath).length;
  await envoy.ask(attempts(['s500'], {}));
  const answered = Date.now();
  while (readFileSync(envoy.attemptLogPath).length === before) await pause(5);
  const took = Date.now() - answered;
  t.ok(took < 500, `${took} ms after the answer`);
});

t.test('an answer that is no answer leads to the next target', async (t) => {
  const verdict = { ':status': '503' };
  for (const fault of ['broken', 'empty', 'reset200', 'cut', 'late']) {
    for (const names of [
      [fault, 'good'],
      ['refused', fault, 'good'],
    ]) {
      providers.requests.clear();
      const reply = await envoy.ask(attempts(names, PEEK, { verdict }));
      t.match(reply, { status: 200, body: TOKENS, complete: true }, names.join());
      t.equal(providers.requests.get(fault), 1);
      t.equal(providers.requests.get('good'), 1);
    }
  }
  t.ok(providers.abandoned.includes('late'), 'the provider that is left hears of it');
});

t.test('what peek is told', async (t) => {
  const reply = await envoy.ask(attempts(['broken', 'good'], PEEK, { verdict: { ':status': '503' } }));
  const heard = envoy.processor.seen.filter(({ rid, role }) => rid === reply.id && role !== 'request');
  t.same(
    [...new Set(heard.map(({ role, phase }) => `${role} ${phase}`))],
    [
      'peek response_headers',
      'peek response_body',
      'again request_headers',
      'again response_headers',
      'again response_body',
    ],
  );
  t.match(heard[0], {
    headers: { ':status': '200', 'content-type': 'text/event-stream' },
    attributes: { 'xds.cluster_name': 'provider-broken', 'upstream.request_attempt_count': 1 },
    metadata: { rid: reply.id, key: 'web' },
  });
  t.match(heard.find(({ phase, role }) => role === 'again' && phase === 'response_headers')?.attributes, {
    'xds.cluster_name': 'provider-good',
    'upstream.request_attempt_count': 2,
  });
});

t.test('a verdict may keep the status, and may change the targets that are left', async (t) => {
  const byHeader = { [RETRY_ON]: 'retriable-headers', 'x-envoy-retriable-header-names': 'x-tollgate-retry' };
  const verdict = { 'x-tollgate-retry': '1' };
  const set = { ...byHeader, 'x-tollgate-peek': '1' };
  t.match(await envoy.ask(attempts(['broken', 'good'], set, { verdict })), { status: 200, body: TOKENS });
  const kept = await envoy.ask(attempts(['broken', 'broken'], set, { verdict }));
  t.equal(kept.status, 200, 'after the last attempt the status is the true one');
  providers.requests.clear();
  const instead = ['broken', 'good'].map(clusterName);
  for (const names of [
    ['broken', 's503', 's503'],
    ['s503', 'broken', 's503'],
  ]) {
    const list = names[0] === 'broken' ? instead : ['s503', ...['broken', 'good']].map((name) => clusterName(name));
    const peeked = { ...set, [CODES]: '503' };
    const reply = await envoy.ask(attempts(names, peeked, { verdict, instead: list }));
    t.match(reply, { status: 200, body: TOKENS }, `${names.join()} became ${list.join()}`);
  }
});

t.test('nobody pays for peek who did not ask, and clients cannot', async (t) => {
  const streams = async () => {
    const text = await askEnvoy(envoy.admin, '/stats?filter=peek.*streams_started', 'GET');
    return Number(/streams_started: (\d+)/.exec(text)?.[1] ?? 0);
  };
  const before = await streams();
  for (const header of [{}, { 'x-tollgate-peek': '1' }, { 'X-Tollgate-Peek': '1', 'x-tollgate-retry': '1' }]) {
    t.equal((await envoy.ask(attempts(['good'], {}), header)).status, 200);
  }
  await envoy.ask(attempts(['refused', 'good'], PEEK, { verdict: { ':status': '503' } }));
  t.equal(await streams(), before, 'no answer came on attempt 1, so no stream was needed');
  await envoy.ask(attempts(['good'], PEEK, { verdict: {} }));
  t.equal(await streams(), before + 1);
  t.notMatch(JSON.stringify(providers.headers), /x-tollgate/i, 'providers see none of it');
});

t.test('clients choose no provider', async (t) => {
  const header = { 'x-tollgate-cluster': clusterName('broken') };
  for (const names of [['good'], ['good', 'broken']]) {
    providers.requests.clear();
    t.match(await envoy.ask(attempts(names, {}), header), { status: 200 }, names.join());
    t.same([...providers.requests], [['good', 1]]);
  }
});

t.test('a request that knows one provider only is tried again there', async (t) => {
  providers.requests.clear();
  const reply = await envoy.ask(attempts(['s503', 's503', 's503'], { [CODES]: '503' }));
  t.equal(reply.status, 503);
  t.equal(providers.requests.get('s503'), 3);
  t.match(await envoy.accessLine(reply.id), { attempts: 3, cluster: clusterName('s503') });
});

t.test('an unasked reply cuts a running answer', async (t) => {
  providers.abandoned.length = 0;
  const script = attempts(['endless'], {}, { cutAfter: 5 });
  const reply = await envoy.ask(script);
  t.match(reply, { status: 200, complete: false }, 'HTTP/1.1 ends without its last chunk');
  t.ok(reply.body.length > 0);
  const line = await envoy.accessLine(reply.id);
  t.match(line, { status: 200, details: /tollgate_stall/ });
  const second = await askHttp2(script);
  t.match(second, { status: 200, ended: false });
  t.not(second.code, 0, 'HTTP/2 is reset with an error');
  while (providers.abandoned.length < 2) await pause(5);
  t.same(providers.abandoned, ['endless', 'endless'], 'the provider is left at once');
  t.comment(JSON.stringify({ line, code: second.code }));
});

t.test('text may be added to the last chunk', async (t) => {
  const append = 'data: {"error":{"code":"provider_error"}}\n\n';
  const reply = await envoy.ask(attempts(['good'], {}, { append }));
  t.match(reply, { status: 200, complete: true });
  t.equal(reply.body, TOKENS + append);
  const second = await askHttp2(attempts(['good'], {}, { append }));
  t.match(second, { status: 200, ended: true, body: TOKENS + append, code: 0 });
});

interface Http2Reply {
  readonly status: number;
  readonly body: string;
  /** The stream ended as HTTP wants it. */
  readonly ended: boolean;
  /** Of RST_STREAM; 0 for none. */
  readonly code: number;
}

async function askHttp2(script: Script): Promise<Http2Reply> {
  const session = connect(`http://127.0.0.1:${envoy.gateway.port}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/v1/chat/completions',
    'x-tollgate-metadata': JSON.stringify(script),
  });
  let [status, body, ended] = [0, '', false];
  stream.on('response', (headers) => {
    status = Number(headers[':status']);
  });
  stream.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  stream.on('end', () => {
    ended = true;
  });
  stream.on('error', () => undefined);
  stream.end('{"model":"smart"}');
  await new Promise((resolve) => stream.on('close', resolve));
  session.destroy();
  return { status, body, ended: ended && stream.rstCode === 0, code: stream.rstCode ?? 0 };
}
