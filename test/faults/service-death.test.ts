import t from 'tap';
import { opened } from '../e2e/client.js';
import { type Gateway, startGateway, type TestContext } from '../e2e/harness.js';
import { type Scripted, startScripted, streamScript } from '../e2e/scripted.js';

const STREAMS = 50;
const WORDS = Array.from({ length: 30 }, (_, at) => `word${at} `);

function chat(model: string, stream: boolean): object {
  return { model: `p/${model}`, stream, messages: [{ role: 'user', content: 'hello' }] };
}

async function setUp(test: TestContext): Promise<{ gateway: Gateway; provider: Scripted }> {
  const provider = await startScripted();
  test.teardown(() => provider.close());
  const gateway = await startGateway(test, {
    config: { providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl, credentials: 'sk-provider' } } },
  });
  return { gateway, provider };
}

t.test('SIGKILL of the service with 50 streams open', async (t) => {
  const { gateway, provider } = await setUp(t);
  for (let at = 0; at < STREAMS; at += 1) provider.on(`s${at}`, { ...streamScript(`s${at}`, WORDS), hold: 10 });
  const headers = { authorization: `Bearer ${gateway.key}` };
  const url = `${gateway.url}/v1/chat/completions`;
  const streams = await Promise.all(
    Array.from({ length: STREAMS }, (_, at) => opened(url, { headers, body: JSON.stringify(chat(`s${at}`, true)) })),
  );
  await provider.held(STREAMS);
  await Promise.all(streams.map((stream) => stream.until('word8 ')));

  // Twenty requests wait for us in the middle of their bodies.
  const rest = Promise.withResolvers<void>();
  const pending = Array.from({ length: 20 }, () => {
    const body = Buffer.from(JSON.stringify(chat('never', false)));
    async function* slowly() {
      yield body.subarray(0, 20);
      await rest.promise;
      yield body.subarray(20);
    }
    return opened(url, { headers: { ...headers, 'content-length': String(body.length) }, body: slowly() });
  });
  const { waiting } = await openStreams(gateway, STREAMS + 20);
  t.ok(waiting, 'Envoy has asked about all of them');
  const seen = provider.captures.length;

  const died = gateway.pid('service');
  gateway.kill('service', 'SIGKILL');
  rest.resolve();
  const refusals = await Promise.all(pending);
  for (const refusal of refusals) {
    const { status, text } = await refusal.finished();
    t.match({ status, body: JSON.parse(text) }, { status: 503, body: { error: { code: 'gateway_unavailable' } } });
  }
  const whileDead = await gateway.post('/v1/chat/completions', chat('never', false));
  t.match(whileDead, { status: 503, headers: { 'content-type': 'application/json', 'retry-after': '1' } });
  t.equal(provider.captures.length, seen, 'no provider saw an undecided request');

  provider.release();
  const finished = await Promise.all(streams.map((stream) => stream.finished()));
  finished.forEach((answer, at) => {
    t.ok(answer.complete, `stream ${at} ended as HTTP says`);
    const sent = provider.sent(`s${at}`).toString();
    // Nobody takes the unasked usage chunk out any more.
    t.ok(answer.text === sent || answer.text === withoutUsage(sent), `stream ${at} has every byte`);
  });

  await gateway.ready();
  t.not(gateway.pid('service'), died);
  const after = await gateway.post('/v1/chat/completions', chat('next', false));
  t.equal(after.status, 200, 'the first request after readiness is answered');
  await settled(gateway);
  t.same(gateway.unsettled(), [], 'every hold has exactly one final entry');
  const entries = gateway.ledger().filter((entry) => entry.type === 'estimate');
  t.equal(entries.length, STREAMS, 'the streams that outlived the service are estimated');
  for (const entry of entries) t.ok(entry.type === 'estimate' && (entry.usage.output ?? 0) > 0, 'output is counted');
});

t.test('case 53: SIGKILL again and again under load loses and doubles nothing', async (t) => {
  const { gateway, provider } = await setUp(t);
  const statuses = new Map<number, number>();
  let going = true;
  const load = Array.from({ length: 8 }, async () => {
    while (going) {
      const { status } = await gateway.post('/v1/chat/completions', chat('x', Math.random() < 0.5));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  for (let round = 0; round < 3; round += 1) {
    await provider.received(provider.captures.length + 40);
    gateway.kill('service', 'SIGKILL');
    await gateway.ready();
  }
  await provider.received(provider.captures.length + 40);
  going = false;
  await Promise.all(load);
  t.same(
    [...statuses.keys()].filter((status) => status !== 200 && status !== 503),
    [],
    'answered or refused, nothing else',
  );
  await gateway.idle();
  await settled(gateway);
  t.same(gateway.unsettled(), []);
  const finals = gateway.ledger().filter((entry) => entry.type === 'settle' || entry.type === 'estimate');
  t.ok(finals.length >= provider.captures.length, 'each request that a provider saw is accounted for');
});

/** Waits until the service has this many streams of Envoy. */
async function openStreams(gateway: Gateway, count: number): Promise<{ waiting: boolean }> {
  for (let tries = 0; tries < 250; tries += 1) {
    const open = /^tollgate_ext_proc_streams (\d+)/m.exec(await gateway.metrics());
    if (Number(open?.[1]) >= count) return { waiting: true };
  }
  return { waiting: false };
}

/** Waits until recovery has ended every hold. */
async function settled(gateway: Gateway): Promise<void> {
  for (let tries = 0; tries < 500 && gateway.unsettled().length > 0; tries += 1) await gateway.metrics();
}

function withoutUsage(text: string): string {
  return text
    .split('\n\n')
    .filter((event) => !event.includes('"choices":[],"usage"'))
    .join('\n\n');
}
