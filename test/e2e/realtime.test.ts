import { once } from 'node:events';
import t from 'tap';
import { exchange } from './client.js';
import { type Gateway, KEY, startGateway, type TestContext } from './harness.js';
import { type ProviderSession, startWebSocketProvider, type WebSocketProvider } from './websocket-provider.js';

type Event = Readonly<Record<string, unknown>>;

/** A client that is Node's own WebSocket, as a browser has it. */
class Client {
  readonly events: Event[] = [];
  readonly socket: WebSocket;
  readonly #closed: Promise<unknown>;

  constructor(url: string, protocols: readonly string[]) {
    this.socket = new WebSocket(url, [...protocols]);
    this.socket.addEventListener('message', ({ data }) => this.events.push(JSON.parse(String(data))));
    // A handshake that is refused is an error; so is a connection that breaks.
    this.socket.addEventListener('error', () => undefined);
    this.#closed = once(this.socket, 'close');
  }

  async open(): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    return this;
  }

  async until(type: string): Promise<void> {
    while (!this.events.some((event) => event['type'] === type)) await once(this.socket, 'message');
  }

  send(event: object): void {
    this.socket.send(JSON.stringify(event));
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.#closed;
  }

  closed(): Promise<unknown> {
    return this.#closed;
  }
}

function usage(text: number, audio: number, cached: number, output: readonly [text: number, audio: number]): object {
  return {
    total_tokens: text + audio + output[0] + output[1],
    input_tokens: text + audio,
    output_tokens: output[0] + output[1],
    input_token_details: {
      text_tokens: text,
      audio_tokens: audio,
      cached_tokens: cached,
      cached_tokens_details: { text_tokens: cached, audio_tokens: 0 },
    },
    output_token_details: { text_tokens: output[0], audio_tokens: output[1] },
  };
}

const done = (used: object) => ({ type: 'response.done', response: { status: 'completed', usage: used } });
const CREATED = { type: 'session.created', session: { model: 'gpt-realtime-2025' } };
const SOUND = { type: 'response.output_audio.delta', delta: 'A'.repeat(20_000) };

/** A handshake by hand. */
const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

interface Setting {
  readonly gateway: Gateway;
  readonly provider: WebSocketProvider;
  connect(model: string, protocols?: readonly string[]): Promise<{ client: Client; session: ProviderSession }>;
}

const LIMITS = [{ name: 'sessions', when: 'request.model == "once"', concurrent: 1 }];

async function setUp(test: TestContext): Promise<Setting> {
  const provider = await startWebSocketProvider();
  test.teardown(() => provider.close());
  const gateway = await startGateway(test, {
    config: {
      providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl, credentials: 'sk-provider' } },
      models: {
        voice: { targets: ['p/gpt-realtime'], retry: { total: '300ms' } },
        once: { targets: ['p/gpt-realtime'] },
      },
      keys: [
        { id: 'e2e', secret: KEY },
        { id: 'text', secret: 'sk-only-for-text-0123456789', models: ['p/text'] },
      ],
      prices: [{ model: '*', input: 4, cache_read: 1, input_audio: 32, output: 16, output_audio: 64 }],
      limits: LIMITS,
    },
  });
  const connect = async (
    model: string,
    protocols: readonly string[] = ['realtime', `openai-insecure-api-key.${KEY}`],
  ) => {
    const before = provider.sessions.length;
    const url = `${gateway.url.replace('http', 'ws')}/v1/realtime?model=${model}&intent=conversation`;
    const client = await new Client(url, protocols).open();
    await provider.opened(before + 1);
    const session = provider.sessions.at(-1);
    if (!session) throw new Error('no session');
    return { client, session };
  };
  return { gateway, provider, connect };
}

async function only(gateway: Gateway, model: string): ReturnType<Gateway['record']> {
  const line = await gateway.accessLine((each) => each['model'] === model);
  return gateway.record(String(line['id']));
}

t.test('a session through the gateway', async (t) => {
  const { gateway, provider, connect } = await setUp(t);

  t.test('is opened with our credential, and booked with the usage of all its responses', async (t) => {
    const { client, session } = await connect('voice');
    t.equal(client.socket.protocol, 'realtime');
    const [handshake] = provider.handshakes;
    t.equal(handshake?.url, '/openai/v1/realtime?intent=conversation&model=gpt-realtime');
    t.equal(handshake?.headers.authorization, 'Bearer sk-provider');
    t.equal(handshake?.headers['sec-websocket-protocol'], 'realtime', 'without the key');
    t.equal(handshake?.headers['sec-websocket-extensions'], undefined, 'nothing is compressed');
    t.notMatch(JSON.stringify(handshake), KEY);
    session.send(CREATED);
    client.send({ type: 'response.create' });
    await session.got(1);
    t.same(session.received, [{ type: 'response.create' }]);
    session.send({ type: 'response.created' }, SOUND, SOUND, {
      type: 'response.output_audio_transcript.delta',
      delta: 'hi',
    });
    await session.sendInPieces(done(usage(100, 50, 40, [20, 80])));
    await client.until('response.done');
    session.send({ type: 'response.created' }, done(usage(200, 10, 100, [5, 15])));
    session.send({
      type: 'conversation.item.input_audio_transcription.completed',
      usage: {
        type: 'tokens',
        input_tokens: 30,
        output_tokens: 7,
        input_token_details: { text_tokens: 0, audio_tokens: 30 },
      },
    });
    await client.until('conversation.item.input_audio_transcription.completed');
    t.equal(client.events.length, 9, 'every event came, whole');
    t.same(client.events[2], SOUND);
    const slow = new Promise((resolve) => setTimeout(resolve, 500));
    await slow;
    session.send({ type: 'rate_limits.updated' });
    await client.until('rate_limits.updated');
    t.pass('the bound on a whole request is none on a session');
    await client.close();
    const record = await only(gateway, 'voice');
    t.match(record, {
      endpoint: '/v1/realtime',
      status: 101,
      target: 'p/gpt-realtime',
      answered_model: 'gpt-realtime-2025',
      stream: true,
      code: null,
      attempts: [{ outcome: 'success', status: 101 }],
      usage: { input: 160, cache_read: 140, input_audio: 90, output: 32, output_audio: 95 },
      usage_source: 'provider',
    });
    const nano = (160 * 4 + 140 * 1 + 90 * 32 + 32 * 16 + 95 * 64) * 1000;
    t.equal(record.cost_nano_usd, nano);
  });

  t.test('no session without a key, for a model that is not allowed, or without the upgrade', async (t) => {
    const before = provider.handshakes.length;
    const ask = (path: string, headers: Readonly<Record<string, string>>) =>
      exchange(gateway.url + path, { method: 'GET', headers });
    const cases: readonly (readonly [string, string, Readonly<Record<string, string>>, number, string])[] = [
      ['no key', '?model=voice', UPGRADE, 401, 'invalid_api_key'],
      [
        'a wrong key as a protocol',
        '?model=voice',
        { ...UPGRADE, 'sec-websocket-protocol': 'openai-insecure-api-key.x' },
        401,
        'invalid_api_key',
      ],
      [
        'a key for other models',
        '?model=voice',
        { ...UPGRADE, authorization: 'Bearer sk-only-for-text-0123456789' },
        403,
        'model_not_allowed',
      ],
      ['no model', '', { ...UPGRADE, authorization: `Bearer ${KEY}` }, 400, 'missing_model'],
      [
        'two keys',
        '?model=voice',
        { ...UPGRADE, authorization: `Bearer ${KEY}`, 'sec-websocket-protocol': 'openai-insecure-api-key.other' },
        400,
        'ambiguous_credentials',
      ],
      ['a simple request', '?model=voice', { authorization: `Bearer ${KEY}` }, 400, 'unsupported_endpoint'],
    ];
    for (const [name, query, headers, status, code] of cases) {
      const answer = await ask(`/v1/realtime${query}`, headers);
      t.match({ status: answer.status, body: JSON.parse(answer.text) }, { status, body: { error: { code } } }, name);
    }
    const elsewhere = await ask('/v1/chat/completions', { ...UPGRADE, authorization: `Bearer ${KEY}` });
    t.match(JSON.parse(elsewhere.text), { error: { code: 'unsupported_endpoint' } }, 'only there');
    t.equal(provider.handshakes.length, before, 'the provider saw nothing');
  });

  t.test('a key in the header, and a limit on sessions at a time', async (t) => {
    const { client } = await connect('once');
    const second = new Client(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=once`, [
      `openai-insecure-api-key.${KEY}`,
    ]);
    await second.closed();
    t.match(await gateway.limits(), [{ limit: 'sessions', of: 'concurrent', held: 1, max: 1 }]);
    await client.close();
    await gateway.settled();
    await (await connect('once')).client.close();
  });

  t.test('a provider that refuses', async (t) => {
    provider.refuseNext(404);
    const headers = { ...UPGRADE, authorization: `Bearer ${KEY}` };
    const answer = await exchange(`${gateway.url}/v1/realtime?model=p/refused`, { method: 'GET', headers });
    t.match(
      { status: answer.status, body: JSON.parse(answer.text) },
      { status: 404, body: { error: { message: 'no such thing' } } },
    );
    t.match(await only(gateway, 'p/refused'), { status: 404, usage: {}, cost_nano_usd: 0 });
  });

  t.test('a provider that breaks off in the middle of a response', async (t) => {
    const { client, session } = await connect('p/broken');
    const words = { type: 'response.output_text.delta', delta: 'some words of an answer' };
    session.send(
      CREATED,
      { type: 'response.created' },
      done(usage(100, 0, 0, [10, 0])),
      { type: 'response.created' },
      words,
    );
    await client.until('response.output_text.delta');
    session.reset();
    await client.closed();
    const record = await only(gateway, 'p/broken');
    t.match(record, { usage: { input: 100 }, attempts: [{ outcome: 'error', reason: 'reset' }] });
    t.ok((record.usage.output ?? 0) > 10, 'what was stated, and what was seen after it');
    t.not(record.usage_source, 'provider');
  });

  t.test('a session outlives a reload', async (t) => {
    const { client, session } = await connect('p/steady');
    gateway.configure({
      providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl, credentials: 'sk-other' } },
      models: { added: { targets: ['p/x'] } },
    });
    for (let tries = 0; tries < 200; tries += 1) {
      const { text } = await gateway.get('/v1/models');
      if (text.includes('added')) break;
    }
    session.send(CREATED, done(usage(7, 0, 0, [3, 0])));
    await client.until('response.done');
    await client.close();
    t.match(await only(gateway, 'p/steady'), { usage: { input: 7, output: 3 }, usage_source: 'provider' });
  });
});

t.test('the death of the service: sessions go on, new ones are refused, the books are closed', async (t) => {
  const { gateway, connect, provider } = await setUp(t);
  const { client, session } = await connect('p/orphan');
  session.send(CREATED);
  await client.until('session.created');
  const before = gateway.pid('service');
  gateway.kill('service', 'SIGKILL');
  const refused = new Client(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=p/new`, [
    `openai-insecure-api-key.${KEY}`,
  ]);
  await refused.closed();
  t.equal(provider.sessions.length, 1);
  client.send({ type: 'response.create' });
  await session.got(1);
  session.send(done(usage(50, 0, 0, [10, 0])));
  await client.until('response.done');
  await gateway.replaced(before);
  session.send({ type: 'later' });
  await client.until('later');
  await client.close();
  await gateway.settled();
  t.same(gateway.unsettled(), []);
});
