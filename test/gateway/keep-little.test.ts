import t from 'tap';
import { Gateway } from '../../src/gateway/gateway.js';
import type { HeaderView } from '../../src/gateway/headers.js';
import { CHAT, headers, headersReply, SampleParts } from './sample-parts.js';

const UPSTREAM = { upstream: true, details: 'via_upstream', attempts: 1, cluster: null, failure: null };
const EVENTS = { ':status': '200', 'content-type': 'text/event-stream' };
const TOKEN = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n');

/** A body in the middle of memory that it shares, as a transport's pool has it. */
function shared(text: string): { readonly memory: Buffer; readonly body: Buffer } {
  const memory = Buffer.alloc(2000, '#');
  return { memory, body: memory.subarray(700, 700 + memory.write(text, 700)) };
}

/** Throws when it is asked after it was closed. */
function closable(view: HeaderView): HeaderView & { close(): void } {
  let closed = false;
  const open = <T>(value: T): T => {
    if (closed) throw new Error('asked for a header of the request after its answer began');
    return value;
  };
  return {
    get: (name) => open(view.get(name)),
    all: (name) => open(view.all(name)),
    names: () => open(view.names()),
    entries: () => open(view.entries()),
    close: () => {
      closed = true;
    },
  };
}

function stream(parts: SampleParts) {
  const view = closable(headers(CHAT));
  const text = JSON.stringify({ model: 'single', stream: true, messages: [{ role: 'user', content: 'a question' }] });
  const { memory, body } = shared(text);
  const exchange = new Gateway(parts).open(view);
  headersReply(exchange);
  exchange.requestBody(body, () => undefined);
  exchange.responseHeaders(headers(EVENTS), UPSTREAM, false);
  // What was shared belongs to others now.
  view.close();
  memory.fill(0);
  return { exchange, text };
}

t.test('an open stream needs nothing of its request but the body, which it has for itself', async (t) => {
  const parts = new SampleParts();
  let counted = '';
  const counter: SampleParts['tokens'] = {
    ...parts.tokens,
    estimateInput: ({ body, facts }) => {
      counted = body.toString();
      t.equal(facts.content, undefined, 'what it says is read again');
      return 9;
    },
  };
  Object.assign(parts, { tokens: counter });
  const { exchange, text } = stream(parts);
  exchange.responseChunk(TOKEN, false);
  exchange.closed();
  t.equal(counted, text);
  t.match(parts.finals, [{ type: 'estimate', endpoint: '/v1/chat/completions', stream: true, usage: { input: 9 } }]);
  t.same(parts.faults, []);
});

t.test('what is kept of contents is the request', async (t) => {
  const parts = new SampleParts();
  parts.content = { write: (content) => void parts.contents.push(content) };
  const { exchange, text } = stream(parts);
  exchange.responseChunk(TOKEN, false);
  exchange.responseChunk(Buffer.from('data: [DONE]\n\n'), true);
  t.equal(parts.contents[0]?.request.toString(), text);
  t.equal(parts.contents[0]?.response.toString(), `${TOKEN}data: [DONE]\n\n`);
});
