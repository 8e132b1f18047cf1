import t from 'tap';
import type { Exchange } from '../../src/gateway/exchange.js';
import { Gateway } from '../../src/gateway/gateway.js';
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

function ask(parts: SampleParts, body: Buffer): Exchange {
  const exchange = new Gateway(parts).open(headers(CHAT));
  headersReply(exchange);
  exchange.requestBody(body, () => undefined);
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
  const exchange = ask(parts, body);
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
  answer(ask(cut.parts, cut.body), { whole: false });
  stays('the answer broke off', cut.body, cut.parts);

  const shared = { parts: new SampleParts(), body: bodyOf(100_000) };
  const both = Buffer.concat([shared.body, shared.body]);
  answer(ask(shared.parts, both.subarray(0, shared.body.length)), { whole: true });
  stays('others lie beside it', both, shared.parts);

  const kept = { parts: new SampleParts(), body: bodyOf(100_000) };
  kept.parts.content = { write: (content) => void kept.parts.contents.push(content) };
  answer(ask(kept.parts, kept.body), { whole: true });
  stays('contents are kept', kept.body, kept.parts);

  const again = { parts: new SampleParts(), body: bodyOf(100_000, 'smart') };
  const exchange = ask(again.parts, again.body);
  exchange.attempt(2, 'cluster-of-b', () => undefined);
  answer(exchange, { whole: true });
  stays('an earlier attempt may still be on its way to Envoy', again.body, again.parts);
});
