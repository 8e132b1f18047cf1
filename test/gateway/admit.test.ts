import t from 'tap';
import type { Snapshot } from '../../src/config/snapshot.js';
import { Gateway } from '../../src/gateway/gateway.js';
import type { Continue, Reply } from '../../src/gateway/reply.js';
import { joined } from '../../src/gateway/write-body.js';
import { CHAT, chatBody, headers, headersReply, NARROW_KEY, SampleParts, sampleSnapshot } from './sample-parts.js';

interface Asked {
  readonly parts?: SampleParts;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Through both request stages; null while no answer has come. */
function admit({ parts = new SampleParts(), body = chatBody('smart', true), headers: more = {} }: Asked) {
  const exchange = new Gateway(parts).open(headers({ ...CHAT, ...more }));
  headersReply(exchange);
  const result: { exchange: typeof exchange; parts: SampleParts; reply: Reply | null } = {
    exchange,
    parts,
    reply: null,
  };
  exchange.requestBody(Buffer.from(body), (reply) => {
    result.reply = reply;
  });
  return result;
}

function codeOf(reply: Reply | null): string {
  if (reply?.kind !== 'refuse') return reply?.kind ?? 'nothing';
  return `${reply.status} ${(JSON.parse(reply.body.toString()) as { error: { code: string } }).error.code}`;
}

function passed(asked: Asked): Continue {
  const { reply } = admit(asked);
  if (reply?.kind !== 'continue') throw new Error(codeOf(reply));
  return reply;
}

/** Of the body that the target gets. */
const textOf = ({ body }: Continue): string => (body === null ? '' : joined(body).toString());
const header = (reply: Continue, name: string) => reply.set.find(([key]) => key === name)?.[1];

t.test('the first attempt is complete for itself', async (t) => {
  const reply = passed({
    headers: { cookie: 'c', 'x-tollgate-metadata': '{}', 'x-only-b': 'forged', 'openai-beta': 'b', 'x-amz-date': 'd' },
  });
  t.equal(header(reply, ':path'), '/v1/chat/completions');
  t.equal(header(reply, 'authorization'), 'Bearer credential-of-a');
  t.equal(header(reply, 'x-only-a'), 'a');
  t.same(JSON.parse(textOf(reply)), {
    model: 'small',
    stream: true,
    messages: [{ role: 'user' }],
    stream_options: { include_usage: true },
  });
  // Replaced, the client's to say, and not there at all: of `authorization`, `openai-beta` and `api-key` none is removed.
  t.same([...reply.remove].sort(), ['cookie', 'x-amz-date', 'x-only-b', 'x-tollgate-metadata']);
  t.same(reply.pass?.clusters, ['cluster-of-a', 'cluster-of-b']);
  t.same(reply.pass?.log, { key: 'web', model: 'smart', endpoint: '/v1/chat/completions', stream: true });
});

t.test("what Envoy's router is told", async (t) => {
  const smart = passed({});
  t.equal(header(smart, 'x-envoy-max-retries'), '1');
  t.equal(header(smart, 'x-envoy-upstream-rq-per-try-timeout-ms'), '30000', 'a stream: the first token');
  t.equal(header(smart, 'x-tollgate-peek'), '1');
  t.equal(header(passed({ body: chatBody('smart', false) }), 'x-envoy-upstream-rq-per-try-timeout-ms'), '600000');
  const single = passed({ body: chatBody('single', true) });
  t.equal(header(single, 'x-envoy-max-retries'), '0');
  t.equal(header(single, 'x-tollgate-peek'), undefined, 'nobody is left to go to');
  const direct = passed({ body: chatBody('b/any/thing', false) });
  t.match(textOf(direct), '"model":"any/thing"');
  t.same(direct.pass?.clusters, ['cluster-of-b', 'cluster-of-b'], 'one target is tried twice');
});

t.test('refusals', async (t) => {
  const cases: readonly [string, Asked, string][] = [
    ['unknown model', { body: chatBody('none', false) }, '404 model_not_found'],
    ['unknown provider', { body: chatBody('none/x', false) }, '404 model_not_found'],
    ['no JSON', { body: '{"model":' }, '400 invalid_json'],
    ['no model', { body: '{}' }, '400 missing_model'],
    ['twice the model', { body: '{"model":"smart","model":"b/x"}' }, '400 duplicate_key'],
    [
      'a model that the key may not use',
      { body: chatBody('a/x', false), headers: { authorization: `Bearer ${NARROW_KEY}` } },
      '403 model_not_allowed',
    ],
  ];
  for (const [name, asked, code] of cases) {
    const { reply, parts } = admit(asked);
    t.equal(codeOf(reply), code, name);
    t.same(parts.holds, [], `${name}: no hold`);
    t.equal(parts.finals.length + parts.unrecorded.length, 1, `${name}: told once`);
  }
});

t.test('a provider that could be turned on is named', async (t) => {
  const words = (model: string, more: Partial<Snapshot> = {}) => {
    const { reply } = admit({ parts: new SampleParts(sampleSnapshot(more)), body: chatBody(model, false) });
    return reply?.kind === 'refuse' ? reply.body.toString() : '';
  };
  t.match(words('openai/gpt-5'), 'not configured here (set OPENAI_API_KEY or add it to the config)');
  t.match(words('openai/gpt-5', { path: '/etc/tollgate.yaml' }), 'not configured here (add it to the config)');
  t.match(words('azure-openai/x'), 'not configured here (add it to the config)');
  for (const name of ['other/x', 'openai', 'x', '/x']) t.match(words(name), 'does not exist here', name);
  const gateway = { ...sampleSnapshot().gateway, modelsOnly: true };
  t.match(words('openai/gpt-5', { gateway }), 'does not exist here', 'it would not help');
});

t.test('without a ledger nothing is let through', async (t) => {
  const parts = new SampleParts();
  parts.mode = 'disk_full';
  const { reply } = admit({ parts });
  t.equal(codeOf(reply), '503 ledger_unavailable');
  t.equal(reply?.kind === 'refuse' && reply.headers.find(([name]) => name === 'retry-after')?.[1], '1');
  t.same(parts.attempts, []);
  t.match(parts.faults, [/writing a hold.*no space left/]);
});

t.test('a client that leaves while the hold is written', async (t) => {
  const parts = new SampleParts();
  parts.mode = 'deferred';
  const asked = admit({ parts });
  t.equal(asked.reply, null);
  asked.exchange.closed();
  t.same(parts.finals, []);
  parts.flush();
  t.equal(asked.reply, null, 'the gate stays shut');
  t.match(parts.finals, [{ type: 'void', status: 499, code: 'client_closed', cost_nano_usd: 0, attempts: [] }]);
});

t.test('a long body is scanned in slices, and its client may leave meanwhile', async (t) => {
  const body = JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'x'.repeat(600_000) }] });
  const staying = admit({ body });
  const leaving = admit({ body });
  t.equal(staying.reply, null);
  leaving.exchange.closed();
  while (staying.reply === null) await new Promise(setImmediate);
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  t.equal(staying.reply?.kind, 'continue');
  t.equal(leaving.reply, null);
  t.same(leaving.parts.holds, []);
});

t.test('budget, health and images decide how many are tried', async (t) => {
  const parts = new SampleParts();
  const target = parts.rules().resolver.resolve('smart')?.targets[0];
  if (!target) throw new Error('no target');
  for (let count = 0; count < 20; count += 1)
    parts.health.attemptFailed(target, { kind: 'server', cooldownMs: null }, parts.time);
  t.same(passed({ parts }).pass?.clusters, ['cluster-of-b', 'cluster-of-a'], 'the unhealthy one goes last, never away');
  const image = { ':path': '/v1/images/generations' };
  t.same(
    passed({ body: '{"model":"smart","prompt":"x"}', headers: image }).pass?.clusters,
    ['cluster-of-a'],
    'one image',
  );
});
