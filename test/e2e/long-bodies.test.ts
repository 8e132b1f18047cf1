import t from 'tap';
import { DIES, HANGS } from './faulty-json.js';
import { type Gateway, startGateway } from './harness.js';
import { type Scripted, startScripted } from './scripted.js';

// Bodies above 1 MiB in another dialect than the provider's are read and written in a thread.

const PATH = '/v1/chat/completions';
const USAGE = { input_tokens: 40, output_tokens: 9 };

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  const faulty = new URL('./faulty-json.js', import.meta.url).href;
  gateway = await startGateway(t, {
    env: { NODE_OPTIONS: `--import=${faulty}` },
    config: {
      providers: {
        claude: { kind: 'anthropic', base_url: provider.baseUrl, credentials: 'sk-of-the-provider-0123456789' },
        plain: { kind: 'openai-compatible', base_url: provider.baseUrl },
      },
      models: { once: { targets: ['claude/once'], retry: { attempts: 1 } } },
      prices: [{ model: '*', input: 1, output: 1 }],
    },
  });
});

/** A text of about so many bytes, no two parts of which are alike. */
function textOf(bytes: number, mark = ''): string {
  return mark + Array.from({ length: bytes / 10 }, (_, at) => `${at}`.padStart(9, 'é"\n')).join(' ');
}

function ask(model: string, content: string): ReturnType<Gateway['post']> {
  return gateway.post(PATH, { model, messages: [{ role: 'user', content }] });
}

function answers(model: string, text: string): void {
  const content = [{ type: 'text', text }];
  const message = {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: 'end_turn',
    usage: USAGE,
  };
  provider.on(model, { headers: { 'content-type': 'application/json' }, chunks: [JSON.stringify(message)] });
}

/** Small requests one after the other, until the long one is answered; the number of good answers. */
async function smallBeside(long: Promise<unknown>): Promise<number> {
  let over = false;
  void long.finally(() => {
    over = true;
  });
  let good = 0;
  while (!over || good === 0) {
    const { status } = await ask('plain/small', 'hello');
    if (status !== 200) throw new Error(`a small request got ${status}`);
    good += 1;
  }
  return good;
}

t.test('a long request and its long answer are what they were', async (t) => {
  const [said, heard] = [textOf(10_000_000), textOf(2_000_000)];
  answers('whole', heard);
  const answer = await ask('claude/whole', said);
  t.equal(answer.status, 200);
  const { choices } = JSON.parse(answer.text) as { choices: { message: { content: string } }[] };
  t.ok(choices[0]?.message.content === heard);
  const sent = JSON.parse(provider.captures.at(-1)?.body.toString() ?? '') as { messages: unknown };
  t.ok(JSON.stringify(sent.messages).includes(JSON.stringify(said)));
  const record = await gateway.record(answer.headers['x-request-id'] ?? '');
  t.match(record, { status: 200, usage_source: 'provider', usage: { input: 40, output: 9 } });
});

t.test('a thread that dies costs its own request, which is booked as what it was', async (t) => {
  answers('once', textOf(1_200_000, DIES));
  const refused = ask('once', textOf(1_200_000, DIES));
  const lost = ask('once', 'hello');
  t.ok((await smallBeside(Promise.all([refused, lost]))) > 0);
  t.match(JSON.parse((await refused).text), { error: { code: 'gateway_unavailable' } });
  t.equal((await refused).status, 503);
  t.equal((await lost).status, 503);
  t.match(JSON.parse((await lost).text), { error: { code: 'gateway_unavailable' } });
  const record = await gateway.record((await lost).headers['x-request-id'] ?? '');
  t.match(record, {
    status: 503,
    code: 'gateway_unavailable',
    usage_source: 'provider',
    usage: { input: 40, output: 9 },
  });
  t.equal(record.cost_nano_usd, 49_000);
  t.match(record.attempts, [{ outcome: 'success' }], 'the provider is not to blame');
  const refusedId = (await refused).headers['x-request-id'];
  t.notOk(
    gateway.ledger().some(({ id }) => id === refusedId),
    'nothing was held for what was never sent',
  );
});

t.test('a thread that hangs is ended, and the next one serves', async (t) => {
  answers('once', textOf(1_200_000, HANGS));
  const lost = ask('once', 'hello');
  t.ok((await smallBeside(lost)) > 1);
  const answer = await lost;
  t.equal(answer.status, 503);
  const record = await gateway.record(answer.headers['x-request-id'] ?? '');
  t.match(record, { status: 503, usage_source: 'provider', usage: { output: 9 } });
  answers('after', textOf(1_200_000));
  t.equal((await ask('claude/after', textOf(1_200_000))).status, 200);
  await gateway.settled();
});
