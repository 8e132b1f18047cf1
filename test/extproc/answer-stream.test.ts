import t from 'tap';
import { AnswerStream } from '../../src/extproc/answer-stream.js';
import { InFlight } from '../../src/extproc/in-flight.js';
import type { Exchange } from '../../src/gateway/exchange.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { SampleParts } from '../gateway/sample-parts.js';
import { FakeCall, message, VIA_UPSTREAM } from './fake-call.js';
import type { RequestShape } from './message-shapes.js';

const HEADERS: RequestShape = {
  response_headers: message({ ':status': '200', 'content-type': 'text/event-stream' }),
  metadata_context: { filter_metadata: { tollgate: { fields: { rid: { string_value: 'request-1' } } } } },
  attributes: VIA_UPSTREAM,
};

function open(rewrites: boolean | null): FakeCall {
  const call = new FakeCall();
  const inFlight = new InFlight();
  if (rewrites !== null)
    inFlight.add('request-1', { id: 'request-1', rewrites: () => rewrites } as unknown as Exchange);
  call.process.run(new AnswerStream(call.process, new Gateway(new SampleParts()), inFlight));
  return call;
}

t.test('an answer that needs no translation is left to the request role', async (t) => {
  const call = open(false);
  call.say(HEADERS);
  t.same(call.sent, [{ response_headers: { response: {} } }]);
  t.ok(call.ended);
});

t.test('an answer that nobody can translate any more fails closed', async (t) => {
  const call = open(null);
  call.say(HEADERS);
  t.same(call.sent, []);
  t.match(call.error, { code: 14 });
});

t.test('a body without its headers fails closed', async (t) => {
  const call = open(true);
  call.say({ response_body: { body: Buffer.from('raw') } });
  t.same(call.sent, []);
  t.match(call.error, { code: 13 });
});
