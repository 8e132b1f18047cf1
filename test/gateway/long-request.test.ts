import t from 'tap';
import { GatewayError } from '../../src/dialects/error.js';
import type { Exchange } from '../../src/gateway/exchange.js';
import { Gateway } from '../../src/gateway/gateway.js';
import type { LongWork } from '../../src/gateway/long-work/long-work.js';
import type { Reply } from '../../src/gateway/reply.js';
import { joined } from '../../src/gateway/write-body.js';
import { LOOP_WORK } from './long-work/loop-work.js';
import { CHAT, headers, headersReply, SampleParts } from './sample-parts.js';

const LONG = 1_200_000;
const MESSAGES = { ...CHAT, ':path': '/v1/messages' };

/** A client of Messages at a provider of chat completions. */
function bodyOf(length: number): Buffer {
  const messages = [{ role: 'user', content: 'ab '.repeat(length / 3) }];
  return Buffer.from(JSON.stringify({ model: 'smart', max_tokens: 10, messages }));
}

function ask(parts: SampleParts, length: number): { readonly exchange: Exchange; readonly reply: Promise<Reply> } {
  const exchange = new Gateway(parts).open(headers(MESSAGES));
  headersReply(exchange);
  return { exchange, reply: new Promise((resolve) => exchange.requestBody(bodyOf(length), resolve)) };
}

function messagesIn(reply: Reply): unknown {
  if (reply.body === null) throw new Error('no body');
  return (JSON.parse(joined(reply.body).toString()) as { messages: unknown }).messages;
}

/** Work that ends when somebody says so. */
class HeldWork implements LongWork {
  readonly held: (() => void)[] = [];

  run: LongWork['run'] = (job, input, done) => void this.held.push(() => LOOP_WORK.run(job, input, done));

  async close(): Promise<void> {}
}

t.test('a long body goes to both of its targets as a short one does', async (t) => {
  const parts = new SampleParts();
  const { exchange, reply } = ask(parts, LONG);
  const first = await reply;
  const expected = [{ role: 'user', content: 'ab '.repeat(LONG / 3) }];
  t.equal(first.kind, 'continue');
  t.same(messagesIn(first), expected);
  exchange.attempt(2, 'cluster-of-b', (next) => {
    if (next === null || 'refusal' in next) throw new Error('no second attempt');
    t.same(messagesIn(next.reply), expected, 'its body came back from the first');
  });
  t.same(parts.faults, []);
});

t.test('a client that leaves meanwhile is settled once, and nothing is sent', async (t) => {
  const parts = new SampleParts();
  const work = new HeldWork();
  parts.longWork = work;
  const { exchange, reply } = ask(parts, LONG);
  let replies = 0;
  void reply.then(() => (replies += 1));
  while (work.held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  exchange.closed();
  work.held[0]?.();
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(replies, 0);
  t.equal(parts.holds.length, 0);
  t.match(parts.unrecorded, [{ status: 499, code: 'client_closed' }]);
});

t.test('work that is refused is the client’s 503, in its dialect', async (t) => {
  const parts = new SampleParts();
  const error = new GatewayError('gateway_unavailable', 'Too much waits.');
  parts.longWork = { run: (_job, _input, done) => done(error), close: async () => undefined };
  const reply = await ask(parts, LONG).reply;
  t.match(reply, { kind: 'refuse', status: 503 });
  t.match(JSON.parse(joined(reply.body ?? Buffer.alloc(0)).toString()), {
    type: 'error',
    error: { type: 'overloaded_error', message: 'Too much waits.' },
  });
  t.equal(parts.holds.length, 0);
});
