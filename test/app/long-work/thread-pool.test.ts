import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import t from 'tap';
import { createThreadPool, type ThreadPoolOptions } from '../../../src/app/long-work/thread-pool.js';
import { GatewayError } from '../../../src/dialects/error.js';
import type { LongWork, WriteInput, WriteOutput } from '../../../src/gateway/long-work/long-work.js';
import { asBuffer } from '../../../src/gateway/long-work/perform.js';
import { contextFor } from '../../dialects/translate/unary-goldens.js';
import { LOOP_WORK } from '../../gateway/long-work/loop-work.js';

const FAULTY = new URL('./faulty-thread.js', import.meta.url);

function open(
  test: Pick<typeof t, 'teardown'>,
  options: Partial<ThreadPoolOptions> = {},
): LongWork & { problems: string[] } {
  const problems: string[] = [];
  const pool = createThreadPool({ threads: 1, onProblem: (message) => problems.push(message), ...options });
  test.teardown(() => pool.close());
  return Object.assign(pool, { problems });
}

/** A request of chat with this text; `text` tells the faulty thread what to do. */
function inputOf(text: string): WriteInput {
  const request = { model: 'm', messages: [{ role: 'user', content: text }] };
  const body = new Uint8Array(new TextEncoder().encode(JSON.stringify(request)));
  const { losses: _, ...context } = contextFor('claude-sonnet-4-5');
  const facts = {
    format: 'json' as const,
    wire: 'openai-chat' as const,
    model: 'm',
    modelRange: null,
    stream: false,
    includeUsage: false,
    user: '',
    metadata: null,
    maxOutputTokens: null,
    choices: 1,
    tools: false,
    inputBytes: body.length,
    inputTokensUpper: body.length,
    speaks: false,
    json: null,
  };
  const splice = { model: null, includeUsage: false };
  return {
    body,
    work: {
      facts,
      wire: 'anthropic-messages',
      splice,
      envelope: null,
      direct: false,
      usageOnRequest: true,
      strict: false,
    },
    translation: { from: 'openai-chat', to: 'anthropic-messages', context },
    kind: 'anthropic',
    refusesStored: false,
    signs: true,
  };
}

function write(work: LongWork, text: string): Promise<WriteOutput | GatewayError> {
  return new Promise((resolve) => work.run('write', inputOf(text), resolve));
}

/** The faulty thread does not tell the kinds of work apart. */
function read(work: LongWork, text: string): Promise<unknown> {
  const { body, translation } = inputOf(text);
  if (!translation) throw new Error('no pair');
  const input = { body, headers: [], wire: 'anthropic-messages', translation, memory: null } as const;
  return new Promise((resolve) => work.run('read', input, resolve));
}

function textOf(output: WriteOutput | GatewayError): string {
  if (output instanceof GatewayError) return output.code;
  const { result } = output;
  return result.kind === 'refused' ? result.message : asBuffer(result.body ?? output.body).toString();
}

t.test('every implementation gives the same', async (t) => {
  for (const [name, work] of [
    ['loop', LOOP_WORK],
    ['threads', open(t)],
  ] as const) {
    await t.test(name, async (t) => {
      const output = await write(work, 'Grüße');
      if (output instanceof GatewayError || output.result.kind === 'refused') throw new Error('it is refused');
      t.match(textOf(output), /"messages":\[\{"role":"user","content":.*Grüße/);
      t.match(output.result.digest, /^[0-9a-f]{64}$/);
      t.match(asBuffer(output.body).toString(), /"role":"user","content":"Grüße"/, 'the client’s body comes back');
      t.match(textOf(await write(work, '')), /not empty/, 'a refusal keeps its words');
      const read = await new Promise((resolve) => {
        const { translation } = inputOf('');
        if (!translation) throw new Error('no pair');
        const answer = { content: [{ type: 'text', text: 'Hi' }], usage: { input_tokens: 1, output_tokens: 2 } };
        const body = new Uint8Array(new TextEncoder().encode(JSON.stringify({ type: 'message', ...answer })));
        const memory = { answerTool: null, legacyFunctions: false };
        work.run('read', { body, headers: [], wire: 'anthropic-messages', translation, memory }, resolve);
      });
      t.match(read, { failure: '', facts: { terminal: true, usage: { output: 2 } } });
    });
  }
});

t.test('answers come to whoever asked, in the order of the work', async (t) => {
  const pool = open(t);
  const texts = Array.from({ length: 20 }, (_, at) => `number ${at};`);
  const order: string[] = [];
  const outputs = await Promise.all(
    texts.map(async (text) => {
      const output = textOf(await write(pool, text));
      order.push(text);
      return output;
    }),
  );
  for (const [at, text] of texts.entries()) t.ok(outputs[at]?.includes(text));
  t.same(order, texts);
});

t.test('a thread that breaks down takes its own work with it, and nothing else', async (t) => {
  const pool = open(t, { program: FAULTY });
  const all = ['well', 'die', 'well', 'throw', 'well'].map((text) => write(pool, text));
  t.same((await Promise.all(all)).map(textOf), ['well', 'gateway_unavailable', 'well', 'gateway_unavailable', 'well']);
  t.equal(pool.problems.length, 2);
});

t.test('a thread that hangs is ended and replaced', async (t) => {
  const pool = open(t, { program: FAULTY, patienceMs: 1500 });
  t.equal(textOf(await write(pool, 'hang')), 'gateway_unavailable');
  t.equal(textOf(await write(pool, 'well')), 'well');
  t.match(pool.problems, [/too long/, /in the middle/]);
});

t.test('what would wait behind too much is refused at once', async (t) => {
  const pool = open(t, { program: FAULTY, waitingBytes: 300, patienceMs: 1500 });
  const hanging = write(pool, 'hang');
  const waiting = write(pool, 'w'.repeat(250));
  const refused = await write(pool, 'w'.repeat(100));
  t.ok(refused instanceof GatewayError);
  t.match(refused, { code: 'gateway_unavailable', status: 503, headers: { 'retry-after': '1' } });
  await Promise.all([hanging, waiting]);
});

t.test('answers are never too much, and go before requests', async (t) => {
  const pool = open(t, { program: FAULTY, waitingBytes: 300 });
  const order: string[] = [];
  const tell = (name: string) => (): void => void order.push(name);
  const first = write(pool, 'well').then(tell('request under way'));
  const second = write(pool, 'w'.repeat(200)).then(tell('request that waits'));
  const answers = ['first answer', 'second answer'].map((name) => read(pool, 'w'.repeat(400)).then(tell(name)));
  await Promise.all([first, second, ...answers]);
  t.same(order, ['request under way', 'first answer', 'second answer', 'request that waits']);
});

t.test(
  'what others ask for goes before it',
  { skip: process.platform !== 'linux' && 'only Linux tells threads apart' },
  async (t) => {
    const own = getPriority();
    const pool = open(t);
    await write(pool, 'well');
    const niceness = readdirSync('/proc/self/task').map((id) => {
      // After the thread's name, which may hold anything: field 19 of proc(5).
      const fields = readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
      return Number(fields?.[16]);
    });
    t.equal(niceness.filter((each) => each === Math.min(19, own + 5)).length, 1, 'of one thread');
    t.equal(getPriority(), own, 'and of no other');
  },
);

t.test('closing answers everybody', async (t) => {
  const pool = createThreadPool({ threads: 1, program: FAULTY, onProblem: () => undefined });
  const both = [write(pool, 'hang'), write(pool, 'well')];
  await pool.close();
  t.same((await Promise.all(both)).map(textOf), ['gateway_unavailable', 'gateway_unavailable']);
  t.equal(textOf(await write(pool, 'well')), 'gateway_unavailable');
});
