import t from 'tap';
import { exchange, opened } from '../e2e/client.js';
import { type Gateway, startGateway, type TestContext } from '../e2e/harness.js';
import { type Script, type Scripted, startScripted, streamScript } from '../e2e/scripted.js';

const STREAMS = 20;
const WORDS = Array.from({ length: 30 }, (_, at) => `word${at} `);

/** What only the provider's own dialect says. */
const RAW = /message_start|content_block|input_tokens/;

function event(type: string, more: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

/** An answer of Anthropic's, one event per chunk. */
function anthropicStream(words: readonly string[]): Script & { readonly chunks: readonly string[] } {
  const usage = { input_tokens: 7, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content: [], usage };
  const chunks = [
    event('message_start', { message: { ...message, stop_reason: null, stop_sequence: null } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...words.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: words.length } }),
    event('message_stop', {}),
  ];
  return { headers: { 'content-type': 'text/event-stream' }, chunks };
}

const ANTHROPIC_JSON = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'word0 ' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 7, output_tokens: 1 },
});

interface Setting {
  readonly gateway: Gateway;
  readonly provider: Scripted;
  open(model: string, stream: boolean): ReturnType<typeof opened>;
}

/** `own` speaks the client's dialect, `other` Anthropic's; `mixed/N` may be served by either and is by `own`. */
async function setUp(test: TestContext): Promise<Setting> {
  const provider = await startScripted();
  test.teardown(() => provider.close());
  const account = { base_url: provider.baseUrl, credentials: 'sk-provider' };
  const models = Object.fromEntries(
    Array.from({ length: STREAMS }, (_, at) => [`mixed${at}`, { targets: [`own/mixed${at}`, 'other/never'] }]),
  );
  const gateway = await startGateway(test, {
    config: {
      providers: { own: { kind: 'openai-compatible', ...account }, other: { kind: 'anthropic', ...account } },
      models,
    },
  });
  const url = `${gateway.url}/v1/chat/completions`;
  const headers = { authorization: `Bearer ${gateway.key}` };
  const body = (model: string, stream: boolean) =>
    JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hello' }] });
  return { gateway, provider, open: (model, stream) => opened(url, { headers, body: body(model, stream) }) };
}

async function openedAnswers(gateway: Gateway): Promise<number> {
  const { text } = await exchange(`${gateway.envoyAdminUrl}/stats?filter=ext_proc.answer.streams_started`, {
    method: 'GET',
  });
  return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
}

t.test('SIGKILL of the service: what is translated is cut, what is passed on goes on', async (t) => {
  const { gateway, provider, open } = await setUp(t);
  const numbers = Array.from({ length: STREAMS }, (_, at) => at);
  for (const at of numbers) {
    for (const name of ['own', 'mixed']) {
      provider.on(`${name}${at}`, { ...streamScript(`${name}${at}`, WORDS), hold: 10 });
    }
    provider.on(`other${at}`, { ...anthropicStream(WORDS), hold: 10 });
  }
  const start = (name: string) => Promise.all(numbers.map((at) => open(name.replaceAll('#', String(at)), true)));
  const own = await start('own/own#');
  t.equal(await openedAnswers(gateway), 0, 'an answer that nobody could have to translate costs no second stream');
  const [mixed, other] = [await start('mixed#'), await start('other/other#')];
  await provider.held(3 * STREAMS);
  await Promise.all([...own, ...mixed, ...other].map((stream) => stream.until('word5 ')));
  t.equal(await openedAnswers(gateway), STREAMS, 'only those that are translated are asked about');

  gateway.kill('service', 'SIGKILL');
  const cut = await Promise.all(other.map((stream) => stream.finished()));
  for (const [at, answer] of cut.entries()) {
    t.notOk(answer.complete, `translated stream ${at} does not look complete`);
    t.notMatch(answer.text, RAW, 'not one byte in the provider’s dialect');
    t.notMatch(answer.text, /finish_reason":"|\[DONE\]/);
  }
  provider.release();
  for (const [name, streams] of Object.entries({ own, mixed })) {
    for (const [at, answer] of (await Promise.all(streams.map((stream) => stream.finished()))).entries()) {
      t.ok(answer.complete, `${name} ${at} ends as HTTP says`);
      t.match(answer.text, /word29 .*\[DONE\]/s, 'to the last byte');
    }
  }
  await gateway.ready();
  provider.on('after', { chunks: [ANTHROPIC_JSON] });
  t.equal((await (await open('other/after', false)).finished()).status, 200);
  await gateway.settled();
});

t.test('a whole answer in another dialect is never shown raw', async (t) => {
  const { gateway, provider, open } = await setUp(t);
  provider.on('whole', { chunks: [ANTHROPIC_JSON.slice(0, 60), ANTHROPIC_JSON.slice(60)], hold: 1 });
  provider.on('fine', { chunks: [ANTHROPIC_JSON] });
  const fine = await (await open('other/fine', false)).finished();
  t.match(JSON.parse(fine.text), { object: 'chat.completion', choices: [{ message: { content: 'word0 ' } }] });
  const pending = open('other/whole', false);
  await provider.held(1);
  gateway.kill('service', 'SIGKILL');
  provider.release();
  const answer = await (await pending).finished();
  t.match(
    { status: answer.status, body: JSON.parse(answer.text) },
    { status: 503, body: { error: { code: 'gateway_unavailable' } } },
  );
  await gateway.ready();
  await gateway.settled();
});

t.test('a service that does not move: cut when Envoy’s patience ends', async (t) => {
  const { gateway, provider, open } = await setUp(t);
  provider.on('frozen', { ...anthropicStream(WORDS), hold: 10 });
  const stream = await open('other/frozen', true);
  await stream.until('word5 ');
  gateway.kill('service', 'SIGSTOP');
  provider.release();
  const answer = await stream.finished();
  gateway.kill('service', 'SIGCONT');
  t.notOk(answer.complete);
  t.notMatch(answer.text, RAW);
  await gateway.settled();
});
