import fc from 'fast-check';
import t from 'tap';
import { InFlight } from '../../src/extproc/in-flight.js';
import { RequestStream } from '../../src/extproc/request-stream.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { generic } from '../../src/providers/generic.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';
import { cutAt } from '../dialects/recordings.js';
import { CHAT, chatBody, SampleParts } from '../gateway/sample-parts.js';
import { FakeCall, message, VIA_UPSTREAM } from './fake-call.js';
import type { ResponseShape } from './message-shapes.js';

const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"é"}}]}\n\n';
const FINISH = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}\n\n';
const DONE = 'data: [DONE]\n\n';

/** A request that waits for its answer, and the means to answer it. */
function open(parts = new SampleParts()) {
  const call = new FakeCall();
  const inFlight = new InFlight();
  const gateway = new Gateway(parts);
  call.process.run(new RequestStream(call.process, gateway, inFlight));
  call.say({ request_headers: message(CHAT) });
  call.say({ request_body: { body: chatBody('smart', true), end_of_stream: true } });
  return { call, inFlight, gateway, parts };
}

/** Its providers answer in frames of their own at times. */
class MixedParts extends SampleParts {
  override readonly kinds = new Map(PROVIDER_KINDS).set('openai-compatible', { ...generic, identity: 'aws' });
}

function answered(call: FakeCall, status = '200', type = 'text/event-stream'): void {
  call.say({ response_headers: message({ ':status': status, 'content-type': type }), attributes: VIA_UPSTREAM });
}

const phase = (response: ResponseShape) => Object.keys(response)[0] ?? '';

/** What replaces a chunk; null = unchanged. */
function change(response: ResponseShape): Buffer | null {
  const mutation = response.response_body?.response?.body_mutation;
  if (mutation?.clear_body) return Buffer.alloc(0);
  return mutation?.body ?? null;
}

function chunks(call: FakeCall, pieces: readonly Buffer[]): void {
  for (const [index, body] of pieces.entries()) chunk(call, body, index === pieces.length - 1);
}

function chunk(call: FakeCall, body: Buffer, last: boolean): void {
  call.say({ response_body: { body, ...(last ? { end_of_stream: true } : {}) } });
}

t.test(
  'a request for one provider names it in a header where Envoy has a route for that, else in the list',
  async (t) => {
    for (const routes of [undefined, 'lone', 'another']) {
      const call = new FakeCall();
      call.process.run(new RequestStream(call.process, new Gateway(new SampleParts()), new InFlight(), routes));
      call.say({ request_headers: message(CHAT) });
      call.say({ request_body: { body: chatBody('single', true), end_of_stream: true } });
      const [, decided] = call.sent;
      const set = decided?.request_body?.response?.header_mutation?.set_headers ?? [];
      const named = set.filter(({ header }) => header?.key === 'x-tollgate-cluster');
      const listed = JSON.stringify(decided?.dynamic_metadata).includes('priority_groups');
      t.same([named.length, listed], routes === 'lone' ? [1, false] : [0, true], routes ?? 'an older bootstrap');
    }
  },
);

t.test('one answer for each message, in its phase', async (t) => {
  const { call, inFlight, parts } = open();
  t.equal(inFlight.size, 1, 'attempts can find it');
  answered(call);
  const pieces = [TOKEN, FINISH, USAGE.slice(0, 30), USAGE.slice(30), DONE].map((text) => Buffer.from(text));
  chunks(call, pieces);
  t.same(call.sent.map(phase), [
    'request_headers',
    'request_body',
    'response_headers',
    ...pieces.map(() => 'response_body'),
  ]);
  t.equal(call.sent[1]?.request_body?.response?.clear_route_cache, true);
  t.equal(
    call.sent[1]?.dynamic_metadata?.fields?.['tollgate']?.struct_value?.fields?.['decision']?.string_value,
    'pass',
  );
  t.same(
    call.sent.slice(3).map((sent) => change(sent)?.length ?? null),
    [null, null, 0, 0, null],
  );
  t.ok(call.ended, 'with the last word, before Envoy half-closes');
  call.emit('end');
  t.equal(inFlight.size, 0);
  t.match(parts.finals, [{ type: 'settle', usage: { input: 5, output: 7 }, status: 200 }]);
  t.same(call.faults, []);
});

t.test('pending chunks are answered at trailers, and in time', async (t) => {
  const { call, gateway } = open();
  answered(call);
  call.say({ response_body: { body: Buffer.from(USAGE.slice(0, 20)) } });
  t.equal(call.sent.length, 3, 'undecided');
  call.say({ response_trailers: {} });
  t.same(call.sent.slice(3).map(phase), ['response_body', 'response_trailers']);
  t.ok(call.ended);
  gateway.deadlines.close();
});

t.test('error answers come in one piece', async (t) => {
  const { call, parts } = open();
  answered(call, '500', 'text/plain');
  t.equal(call.sent[2]?.mode_override?.response_body_mode, 2, 'buffered');
  call.say({ response_body: { body: Buffer.from('oops'), end_of_stream: true } });
  const mutation = call.sent[3]?.response_body?.response?.header_mutation;
  const length = mutation?.set_headers?.find(({ header }) => header.key === 'content-length')?.header.raw_value;
  t.equal(String(length), String(change(call.sent[3] ?? {})?.length));
  call.emit('close');
  t.match(parts.finals, [{ type: 'void', cost_nano_usd: 0 }]);
});

t.test('an answer that might have been translated and is not needs no second role', async (t) => {
  const said = (index: number, call: FakeCall) => JSON.stringify(call.sent[index]?.dynamic_metadata ?? {});
  const mixed = open(new MixedParts()).call;
  answered(mixed);
  t.match(said(1, mixed), /"translated":\{"string_value":"1"/, 'told to stand by');
  t.match(said(2, mixed), /"translated":\{"string_value":"0"/, 'and left out, or both wait at once');
  const { call } = open();
  answered(call);
  t.notMatch(said(1, call) + said(2, call), 'translated');
});

t.test('a stream ends with its last word, and not before', async (t) => {
  const refused = new FakeCall();
  const parts = new SampleParts();
  refused.process.run(new RequestStream(refused.process, new Gateway(parts), new InFlight()));
  refused.say({ request_headers: message({ ...CHAT, authorization: 'Bearer sk-nobody-knows-this-one' }) });
  t.match(refused.sent, [{ immediate_response: { status: { code: 401 } } }]);
  t.ok(refused.ended, 'a refusal');
  t.equal(parts.unrecorded.length, 1);

  const { call, parts: streamed } = open();
  answered(call);
  chunk(call, Buffer.from(TOKEN), false);
  t.notOk(call.ended, 'more may follow');
  call.emit('cancelled');
  t.match(streamed.finals, [{ type: 'estimate' }], 'the client left');

  const { call: broken, parts: failed } = open();
  answered(broken, '500', 'text/plain');
  t.notOk(broken.ended, 'its body follows');
  broken.say({ response_body: { body: Buffer.from('oops'), end_of_stream: true } });
  t.ok(broken.ended, 'a buffered answer');
  t.match(failed.finals, [{ type: 'void' }]);

  const { call: empty, inFlight } = open();
  empty.say({ response_headers: message({ ':status': '200' }, true), attributes: VIA_UPSTREAM });
  t.ok(empty.ended, 'an answer without a body');
  t.equal(inFlight.size, 0);
});

t.test('messages out of order end only their stream', async (t) => {
  for (const wrong of [{ request_body: { body: Buffer.from('x') } }, { response_body: { body: Buffer.from('x') } }]) {
    const call = new FakeCall();
    call.process.run(new RequestStream(call.process, new Gateway(new SampleParts()), new InFlight()));
    call.say(wrong);
    t.match(call.error, { code: 13 });
    t.equal(call.faults.length, 1);
    call.say({ request_headers: message(CHAT) });
    t.same(call.sent, [], 'nothing after the end');
  }
  const local = new FakeCall();
  const parts = new SampleParts();
  local.process.run(new RequestStream(local.process, new Gateway(parts), new InFlight()));
  local.say({ response_headers: message({ ':status': '431' }) });
  local.emit('close');
  t.match(local.sent, [{ immediate_response: { status: { code: 400 } } }], 'a reply of Envoy to a request never seen');
  t.equal(parts.unrecorded.length, 1);
});

t.test('property: what the client gets is the stream without the usage event', async () => {
  const event = fc.constantFrom(
    TOKEN,
    FINISH,
    ': ping\n\n',
    'data: {"choices":[],"usage":null}\n\n',
    'event: x\n\n',
    DONE,
  );
  const shape = fc.record({
    before: fc.array(event, { maxLength: 5 }),
    after: fc.array(event, { maxLength: 3 }),
    end: fc.constantFrom('\n', '\r\n', '\r'),
    cuts: fc.array(fc.nat(2000), { maxLength: 20 }),
    /** After which chunks the clock runs out. */
    releases: fc.array(fc.nat(20), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(shape, ({ before, after, end, cuts, releases }) => {
      const text = (events: readonly string[]) => events.join('').replaceAll('\n', end);
      const bytes = Buffer.from(text([...before, USAGE, ...after, FINISH, DONE]));
      const without = text([...before, ...after, FINISH, DONE]);
      const pieces = cutAt(
        bytes,
        cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
      );
      const got = play(pieces, releases);
      if (got === without) return;
      if (releases.length === 0 || got !== bytes.toString()) throw new Error(`got ${JSON.stringify(got)}`);
    }),
    { numRuns: 1000 },
  );
});

/** The client's bytes; releases go through the exchange as the deadline's do. */
function play(pieces: readonly Buffer[], releases: readonly number[]): string {
  const { call, inFlight, gateway, parts } = open();
  const exchange = inFlight.find('request-1');
  answered(call);
  const answers: (Buffer | null)[] = [];
  let seen = call.sent.length;
  pieces.forEach((body, index) => {
    chunk(call, body, index === pieces.length - 1);
    answers.push(...call.sent.slice(seen).map(change));
    seen = call.sent.length;
    if (releases.includes(index) && index < pieces.length - 1) answers.push(...(exchange?.releaseChunks() ?? []));
  });
  call.emit('close');
  gateway.deadlines.close();
  if (answers.length !== pieces.length) throw new Error(`${answers.length} answers for ${pieces.length} chunks`);
  if (call.faults.length > 0 || parts.finals.length !== 1) throw new Error(call.faults.join());
  return Buffer.concat(answers.map((answer, index) => answer ?? pieces[index] ?? Buffer.alloc(0))).toString();
}
