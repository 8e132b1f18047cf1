import t from 'tap';
import type { Exchange } from '../../src/gateway/exchange.js';
import { Gateway } from '../../src/gateway/gateway.js';
import type { Reply } from '../../src/gateway/reply.js';
import { CHAT, headers, headersReply, SampleParts } from './sample-parts.js';

const UPSTREAM = { upstream: true, details: 'via_upstream', attempts: 1, cluster: null, failure: null };
const ANSWER = { choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }], usage: null };

/** A request in memory of its own, as transports give it. */
function bodyOf(length: number, model = 'single'): Buffer {
  const text = JSON.stringify({ model, messages: [{ role: 'user', content: 'a'.repeat(length) }] });
  const body = Buffer.allocUnsafeSlow(text.length);
  body.write(text);
  return body;
}

/** @param taken false: its bytes are on their way to Envoy all the time */
async function ask(parts: SampleParts, body: Buffer, taken = true): Promise<Exchange> {
  const exchange = new Gateway(parts).open(headers(CHAT));
  headersReply(exchange);
  const reply = await new Promise<Reply>((resolve) => exchange.requestBody(body, resolve));
  const told = exchange.whenTaken(reply);
  if (taken) told?.();
  return exchange;
}

function answer(exchange: Exchange, { whole }: { readonly whole: boolean }): void {
  exchange.responseHeaders(headers({ ':status': '200', 'content-type': 'application/json' }), UPSTREAM, false);
  exchange.responseChunk(Buffer.from(JSON.stringify(ANSWER)), whole);
  exchange.closed();
}

t.test('a large body gives its memory back when its answer is whole, and was counted before', async (t) => {
  const parts = new SampleParts();
  const body = bodyOf(100_000);
  const { length } = body;
  const exchange = await ask(parts, body);
  t.equal(body.length, length);
  answer(exchange, { whole: true });
  t.equal(body.length, 0, 'a view that is left sees nothing');
  t.match(parts.finals, [{ type: 'estimate', status: 200, usage: { input: Math.ceil(length / 4) } }]);
  exchange.attempt(2, 'cluster-of-a', (next) => t.ok(next === null || 'refusal' in next, 'nothing can be sent of it'));
});

t.test('memory stays where somebody may need it', async (t) => {
  const stays = (name: string, body: Buffer, parts: SampleParts): void => {
    t.ok(body.length > 0, name);
    t.equal(parts.finals.length, 1, name);
  };
  const cut = { parts: new SampleParts(), body: bodyOf(100_000) };
  answer(await ask(cut.parts, cut.body), { whole: false });
  stays('the answer broke off', cut.body, cut.parts);

  const underWay = { parts: new SampleParts(), body: bodyOf(100_000) };
  answer(await ask(underWay.parts, underWay.body, false), { whole: true });
  stays('it has not left', underWay.body, underWay.parts);

  const longUnderWay = { parts: new SampleParts(), body: bodyOf(2_000_000) };
  answer(await ask(longUnderWay.parts, longUnderWay.body, false), { whole: true });
  stays('a long one has not left', longUnderWay.body, longUnderWay.parts);

  const shared = { parts: new SampleParts(), body: bodyOf(100_000) };
  const both = Buffer.concat([shared.body, shared.body]);
  answer(await ask(shared.parts, both.subarray(0, shared.body.length)), { whole: true });
  stays('others lie beside it', both, shared.parts);

  const kept = { parts: new SampleParts(), body: bodyOf(100_000) };
  kept.parts.content = { write: (content) => void kept.parts.contents.push(content) };
  answer(await ask(kept.parts, kept.body), { whole: true });
  stays('contents are kept', kept.body, kept.parts);

  const again = { parts: new SampleParts(), body: bodyOf(100_000, 'smart') };
  const exchange = await ask(again.parts, again.body);
  exchange.attempt(2, 'cluster-of-b', () => undefined);
  answer(exchange, { whole: true });
  stays('an earlier attempt may still be on its way to Envoy', again.body, again.parts);
});

t.test('a long body gives its memory back as soon as nobody needs it', async (t) => {
  const only = { parts: new SampleParts(), body: bodyOf(2_000_000) };
  const { length } = only.body;
  const sent = await ask(only.parts, only.body);
  t.equal(only.body.length, 0, 'one attempt: when it has left');
  answer(sent, { whole: true });
  t.match(only.parts.finals, [{ type: 'estimate', usage: { input: Math.ceil(length / 4) } }], 'counted before');

  const several = { parts: new SampleParts(), body: bodyOf(2_000_000, 'smart') };
  const exchange = await ask(several.parts, several.body);
  t.equal(several.body.length > 0, true, 'another attempt may need it');
  answer(exchange, { whole: true });
  t.equal(several.body.length, 0, 'the first one was answered');

  const again = { parts: new SampleParts(), body: bodyOf(2_000_000, 'smart') };
  const second = await ask(again.parts, again.body);
  second.attempt(2, 'cluster-of-b', () => undefined);
  answer(second, { whole: true });
  t.ok(again.body.length > 0, 'the second one may be on its way to Envoy');
});
