import t from 'tap';
import { Gateway } from '../../src/gateway/gateway.js';
import type { Parts } from '../../src/gateway/parts.js';
import { CHAT, chatBody, headers, headersReply, KEY, SampleParts, sampleSnapshot } from './sample-parts.js';

const HOUR = 3_600_000;
const FROM_UPSTREAM = { upstream: true, details: 'via_upstream', attempts: 1, cluster: null, failure: null };
const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n';
const END = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}\n\ndata: [DONE]\n\n';

/** Clocks that are set apart, as a step of the wall clock does. */
class SteppedParts extends SampleParts {
  monotonicMs = 5_000;
  override readonly clock: Parts['clock'] = { now: () => this.time, monotonic: () => this.monotonicMs };

  pass(ms: number, step = 0): void {
    this.monotonicMs += ms;
    this.time += ms + step;
  }
}

for (const step of [HOUR, -HOUR, 1_000, -1_000]) {
  t.test(`case 104: the wall clock steps by ${step / 1_000} s in the middle of a stream`, async (t) => {
    const parts = new SteppedParts();
    const arrived = parts.time;
    const exchange = new Gateway(parts).open(headers(CHAT));
    headersReply(exchange);
    exchange.requestBody(chatBody('smart', true), () => undefined);
    parts.pass(100, step);
    exchange.responseHeaders(headers({ ':status': '200', 'content-type': 'text/event-stream' }), FROM_UPSTREAM, false);
    parts.pass(50);
    exchange.responseChunk(Buffer.from(TOKEN), false);
    parts.pass(350, -step);
    parts.pass(0, step);
    exchange.responseChunk(Buffer.from(END), true);
    exchange.closed();
    parts.flush();
    const [entry] = parts.finals;
    t.match(entry, { type: 'settle', ms: 500, first_token_ms: 150, attempts: [{ ms: 500, first_token_ms: 150 }] });
    t.equal(entry?.time, new Date(arrived).toISOString(), 'the time of its arrival');
    t.same(parts.faults, []);
  });
}

t.test('case 4, 104: a key ends by the wall clock, to the millisecond', async (t) => {
  const expiresAt = 1_760_000_000_000;
  const [web] = sampleSnapshot().keys;
  if (web === undefined) throw new Error('no key');
  const parts = new SteppedParts(sampleSnapshot({ keys: [{ ...web, expiresAt }] }));
  const ask = (now: number): string => {
    parts.time = now;
    const reply = headersReply(new Gateway(parts).open(headers({ ...CHAT, authorization: `Bearer ${KEY}` })));
    return reply.kind === 'refuse' ? `${reply.status} ${reply.body.toString()}` : reply.kind;
  };
  t.equal(ask(expiresAt - 1), 'continue');
  t.match(ask(expiresAt), /^401 .*invalid_api_key/);
  t.match(ask(expiresAt + 1), /^401 .*invalid_api_key/);
  t.equal(ask(expiresAt - HOUR), 'continue', 'the clock was wrong before');
});
