/** Streams and what is booked for them, through Envoy: cases of docs/reliability.md. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import t from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { listen } from '../../../src/mock/listen.js';
import { eventually } from '../../eventually.js';
import { type Open, opened, type Received } from '../client.js';
import { type Gateway, startGateway } from '../harness.js';
import { refusingUrl, type Script, type Scripted, startScripted, streamScript } from '../scripted.js';

const CHAT = '/v1/chat/completions';
const SSE = { 'content-type': 'text/event-stream' };
const CERTIFICATE = 'test/envoy/localhost.crt';
const WORDS = [' one', ' two', ' three', ' four'];
/** Nano-dollars of a token. */
const PRICE = { input: 1_000, output: 2_000 };

let gateway: Gateway;
let provider: Scripted;
let second: Scripted;
let secure: Server;
/** Connections to the provider with TLS, below the TLS. */
const relayed = new Set<Socket>();

t.before(async () => {
  provider = await startScripted();
  second = await startScripted();
  secure = createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync('test/envoy/localhost.key') });
  const behind = await listen(secure, { host: '127.0.0.1', port: 0 });
  const relay = createTcpServer((socket) => {
    relayed.add(socket);
    const other = connect(behind.port, '127.0.0.1');
    for (const each of [socket, other]) each.on('error', () => each.destroy());
    socket.pipe(other).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;
  t.teardown(async () => {
    for (const socket of relayed) socket.destroy();
    relay.close();
    secure.closeAllConnections();
    secure.close();
    await Promise.all([provider.close(), second.close()]);
  });
  const kind = 'openai-compatible';
  gateway = await startGateway(t, {
    config: {
      providers: {
        p: { kind, base_url: provider.baseUrl },
        q: { kind, base_url: second.baseUrl },
        tls: { kind, base_url: `https://localhost:${port}/v1` },
        groq: { kind: 'groq', base_url: provider.baseUrl, credentials: 'sk-provider' },
        closed: { kind, base_url: await refusingUrl() },
      },
      models: { pair: { targets: ['p/failing', 'q/serving'] } },
      prices: [
        { model: 'q/*', input: 10, output: 20 },
        { model: 'groq/*', input: 1, output: 2 },
        { model: '*', input: 1, output: 2 },
      ],
      limits: [{ name: 'once', when: 'request.user == "twice"', requests: { max: 1, window: 'total' } }],
    },
    env: { SSL_CERT_FILE: `${process.cwd()}/${CERTIFICATE}` },
  });
});

const post = (model: string, more: object = {}): Promise<Received> =>
  gateway.post(CHAT, { model, messages: [{ role: 'user', content: 'hello' }], ...more });

function stream(model: string, signal?: AbortSignal): Promise<Open> {
  return opened(gateway.url + CHAT, {
    headers: { authorization: `Bearer ${gateway.key}` },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'hello' }] }),
    ...(signal ? { signal } : {}),
  });
}

const recordOf = ({ headers }: Pick<Received, 'headers'>) => gateway.record(headers['x-request-id'] ?? '');

/** Final entries of one target, as soon as there are so many. */
async function finalsOf(target: string, count: number): Promise<FinalEntry[]> {
  let found: FinalEntry[] = [];
  await eventually(`${count} entries of ${target}`, () => {
    const finals = gateway.ledger().filter((entry): entry is FinalEntry => entry.type !== 'hold');
    found = finals.filter((entry) => entry.model === target);
    return found.length >= count;
  });
  return found;
}

async function remarks(remark: string): Promise<number> {
  const line = `tollgate_usage_remarks_total{remark="${remark}"} `;
  const found = (await gateway.metrics()).split('\n').find((each) => each.startsWith(line));
  return Number(found?.slice(line.length) ?? 0);
}

const costOf = (input: number, output: number): number => input * PRICE.input + output * PRICE.output;

t.test('case 47: usage is asked for whatever the client says, and shown only to who asked', async (t) => {
  const asked = [
    [undefined, false],
    [{}, false],
    [{ include_usage: false }, false],
    [{ include_usage: true }, true],
  ] as const;
  for (const [at, [stream_options, shown]] of asked.entries()) {
    const answer = await post(`p/usage${at}`, { stream: true, ...(stream_options ? { stream_options } : {}) });
    const sent = JSON.parse(provider.captures.at(-1)?.body.toString() ?? '') as { stream_options: object };
    t.same(sent.stream_options, { include_usage: true }, 'the provider is asked');
    t.equal(answer.text.includes('"usage":{'), shown, 'the client sees it when it asked');
    t.match(answer.text, /\[DONE\]\n\n$/);
    t.match(await recordOf(answer), { usage: { input: 7, output: 1 }, usage_source: 'provider' });
  }
});

t.test('case 48: answers that fail or end early', async (t) => {
  const event = (type: string, more: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const text = event('response.output_text.delta', { delta: 'one two' });
  const usage = { input_tokens: 9, output_tokens: 4, total_tokens: 13 };
  const ends = [
    ['incomplete', event('response.incomplete', { response: { status: 'incomplete', usage } }), 'provider', 4],
    ['failed', event('response.failed', { response: { status: 'failed', usage } }), 'provider', 4],
    ['silent', event('response.failed', { response: { status: 'failed', usage: null } }), 'estimated', null],
  ] as const;
  for (const [model, end, source, output] of ends) {
    provider.on(model, { headers: SSE, chunks: [text, end] });
    const answer = await gateway.post('/v1/responses', { model: `p/${model}`, stream: true, input: 'hello' });
    t.equal(answer.text, text + end, 'the client gets it as it is');
    const record = await recordOf(answer);
    t.equal(record.usage_source, source, model);
    if (output !== null) t.match(record.usage, { input: 9, output }, model);
    else t.ok((record.usage.output ?? 0) > 0 && (record.usage.input ?? 0) > 0, `${model} is counted`);
  }
  const error = 'data: {"error":{"message":"overloaded","code":500}}\n\n';
  provider.on('erring', { headers: SSE, chunks: [...streamScript('erring', WORDS).chunks.slice(0, 3), error] });
  const record = await recordOf(await post('p/erring', { stream: true }));
  t.match(record, { usage_source: 'estimated', code: 'provider_error' });
  t.ok((record.usage.output ?? 0) >= 2);
});

t.test('case 49: what Envoy and the service answer themselves is no answer of a provider', async (t) => {
  const seen = provider.captures.length;
  const refusals = [
    [401, await gateway.post(CHAT, { model: 'p/x' }, { authorization: 'Bearer sk-nobody-has-this-key' })],
    [413, await gateway.post(CHAT, Buffer.alloc(1), { 'content-length': String(64 * 1024 * 1024) }).catch(() => null)],
    [200, await post('p/x', { user: 'twice' })],
    [429, await post('p/x', { user: 'twice' })],
    [503, await post('closed/x')],
  ] as const;
  t.equal(provider.captures.length, seen + 1);
  for (const [status, answer] of refusals) {
    t.equal(answer?.status, status);
    const id = answer?.headers['x-request-id'] ?? 'none';
    await gateway.accessLine((line) => line['id'] === id || JSON.stringify(line).includes(id));
    const lines = (text: string): string[] => text.split('\n').filter((line) => line.includes(id));
    await eventually('the line of the request', () => lines(gateway.logs()).length > 0);
    const told = lines(gateway.logs()).filter((line) => line.includes('"msg":"request"'));
    t.equal(told.length, 1, `${status} is one line`);
    t.equal(gateway.accessLog().filter((line) => JSON.stringify(line).includes(id)).length, 1, 'and one of Envoy');
    if (status === 200) continue;
    t.notMatch(told[0], /"output_tokens":[1-9]|"usage_source":"/, `${status} used no tokens`);
    const paid = gateway.ledger().filter((entry) => entry.id === id && entry.type !== 'hold');
    t.ok(
      paid.every((entry) => entry.type === 'void' || entry.type === 'refusal'),
      `${status} costs nothing`,
    );
  }
});

t.test('case 50: a client leaves before the first byte, in the middle, before and after the usage', async (t) => {
  const cuts = [
    { name: 'gpt-before', hold: 0, seen: null, output: 0 },
    { name: 'gpt-middle', hold: 3, seen: ' two', output: 2 },
    { name: 'gpt-just', hold: 6, seen: '"stop"', output: 4 },
    { name: 'gpt-after', hold: 7, seen: '"stop"', output: 4 },
  ];
  for (const { name, hold, seen, output } of cuts) {
    provider.on(name, { ...streamScript(name, WORDS), hold });
    const leaving = new AbortController();
    const left = provider.left;
    const answer = stream(`p/${name}`, leaving.signal).catch(() => null);
    await provider.held(1);
    if (seen !== null) await (await answer)?.until(seen);
    // What the client is not shown it cannot wait for: the service has read it when it answers another question.
    await post('p/x');
    const began = performance.now();
    leaving.abort();
    await provider.abandoned(left + 1);
    const ms = performance.now() - began;
    t.ok(ms < 1_000, `${name}: the provider sees it after ${Math.round(ms)} ms`);
    provider.release();
    const [entry, ...more] = await finalsOf(`p/${name}`, 1);
    t.same(more, []);
    if (name === 'gpt-after') {
      t.match(entry, { type: 'settle', usage_source: 'provider', usage: { input: 7, output } });
      continue;
    }
    t.match(entry, { type: 'estimate', usage_source: 'estimated' }, name);
    const { input = 0, output: counted = 0 } = entry?.usage ?? {};
    // A token may have been under way.
    t.ok(counted >= output && counted <= output + 1, `${name}: ${counted} of ${output}`);
    t.ok(input > 0);
    t.equal(entry?.cost_nano_usd, costOf(input, counted));
  }
});

t.test('case 51: the provider breaks off in the middle', async (t) => {
  const { chunks } = streamScript('cut', WORDS);
  const seen = { first: provider.begun, second: second.begun };
  for (const end of ['reset', 'fin', 'garbage'] as const) {
    const script: Script = { headers: SSE, chunks: chunks.slice(0, 3), hold: 3, end };
    provider.on(end, script);
    const answer = await stream(`p/${end}`);
    await answer.until(' two');
    await provider.held(1);
    provider.release();
    const got = await answer.finished();
    t.notOk(got.complete, `${end}: the client sees that it is cut`);
    t.notMatch(got.text, /DONE/, end);
    const record = await recordOf(got);
    t.match(record, { usage_source: 'estimated', target: `p/${end}`, attempts: [{ outcome: 'error' }] }, end);
    t.ok((record.usage.output ?? 0) >= 2, end);
    t.equal(record.attempts.length, 1, `${end}: nothing is tried again`);
  }
  t.same({ first: provider.begun, second: second.begun }, { first: seen.first + 3, second: seen.second });
});

t.test('case 51: TLS to the provider breaks in the middle', async (t) => {
  const { chunks } = streamScript('cut', WORDS);
  let asked = 0;
  secure.once('request', (_request, response) => {
    asked += 1;
    response.writeHead(200, SSE);
    response.write(chunks.slice(0, 3).join(''));
  });
  const answer = await stream('tls/x');
  await answer.until(' two');
  // Answered with an alert by the other side.
  for (const socket of relayed) socket.write('this is no record of TLS');
  const got = await answer.finished();
  t.notOk(got.complete);
  t.notMatch(got.text, /DONE/);
  t.match(await recordOf(got), { usage_source: 'estimated', attempts: [{ outcome: 'error' }] });
  t.equal(asked, 1);
});

t.test('case 52: usage of zero, none, and less than was sent', async (t) => {
  const long = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
  const answers = (usage: object | null, content: string, more: object = {}): Script => {
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
    return { chunks: [JSON.stringify({ choices, ...(usage ? { usage } : {}), ...more })] };
  };
  const stated = (input: number, output: number, more: object = {}): object => {
    return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output, ...more };
  };
  provider.on('zero', answers(stated(0, 0), ''));
  const zero = await recordOf(await post('p/zero'));
  t.match(zero, { usage: { input: 0, output: 0 }, usage_source: 'provider', cost_nano_usd: 0 });

  provider.on('none', answers(null, long));
  const none = await recordOf(await post('p/none'));
  t.equal(none.usage_source, 'estimated');
  t.ok((none.usage.output ?? 0) > 150, `${none.usage.output} tokens`);
  t.equal(await remarks('usage_mismatch'), 0);

  provider.on('less', answers(stated(7, 20), long));
  const less = await recordOf(await post('p/less'));
  t.match(less, { usage: { input: 7, output: 20 }, usage_source: 'provider', cost_nano_usd: costOf(7, 20) });
  t.equal(await remarks('usage_mismatch'), 1);
  provider.on('enough', answers(stated(7, 201), long));
  await recordOf(await post('p/enough'));
  t.equal(await remarks('usage_mismatch'), 1, 'what is right is no mismatch');

  provider.on('tiers', answers(stated(7, 1), 'hi', { service_tier: 'priority' }));
  await recordOf(await post('groq/tiers'));
  t.equal(await remarks('tier_unpriced'), 1);
  for (const [cost, count] of [
    [0.000009, 0],
    [0.00001, 1],
  ] as const) {
    provider.on('stating', answers(stated(7, 1, { cost }), 'hi'));
    t.match(await recordOf(await post('p/stating')), { cost_nano_usd: 9_000, stated_cost_nano_usd: cost * 1e9 });
    t.equal(await remarks('stated_cost_differs'), count);
  }
});

t.test('case 59: the second target serves', async (t) => {
  provider.on('failing', { status: 503, chunks: ['{"error":{"message":"busy"}}'] });
  second.on('serving', streamScript('serving', WORDS));
  for (const streamed of [false, true]) {
    second.on(
      'serving',
      streamed
        ? streamScript('serving', WORDS)
        : {
            chunks: [
              JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 4, total_tokens: 11 } }),
            ],
          },
    );
    const answer = await post('pair', { stream: streamed });
    const record = await recordOf(answer);
    t.match(record, { target: 'q/serving', usage: { input: 7, output: 4 }, usage_source: 'provider' });
    t.equal(record.cost_nano_usd, 10 * costOf(7, 4), 'at the price of the one that served');
    const entries = gateway.ledger().filter(({ id }) => id === record.id);
    t.same(
      entries.map(({ type }) => type),
      ['hold', 'settle'],
      'one entry',
    );
  }
});

// The last one: it takes Envoy from the others.
t.test('case 54: SIGKILL of Envoy with streams open', async (t) => {
  provider.on('gpt-dying', { ...streamScript('gpt-dying', WORDS), hold: 3 });
  const streams = await Promise.all(Array.from({ length: 10 }, () => stream('p/gpt-dying')));
  await Promise.all(streams.map((each) => each.until(' two')));
  const killed = gateway.pid('envoy');
  const left = provider.left;
  gateway.kill('envoy', 'SIGKILL');
  for (const each of streams) t.notOk((await each.finished()).complete);
  await provider.abandoned(left + 10);
  const entries = await finalsOf('p/gpt-dying', 10);
  t.equal(entries.length, 10);
  for (const entry of entries) {
    t.match(entry, { type: 'estimate', usage_source: 'estimated' });
    const { input = 0, output = 0 } = entry.usage;
    t.ok(output >= 2 && output <= 3, `${output} tokens`);
    t.equal(entry.cost_nano_usd, costOf(input, output));
  }
  t.same(gateway.unsettled(), []);
  await eventually('another Envoy', () => gateway.pid('envoy') !== killed);
  await gateway.ready();
  t.equal((await post('p/x')).status, 200);
});
