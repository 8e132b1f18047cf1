import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { ProcessingResponse } from '../../../src/extproc/messages.js';
import {
  type ReplyIdentity,
  toAttemptResponse,
  toBodyResponse,
  toChunkResponse,
  toResponse,
  toVerdict,
} from '../../../src/extproc/replies.js';
import { externalProcessorService } from '../../../src/extproc/service-definition.js';
import { decodeRequest, type ProcessingRequest } from '../../../src/extproc/wire/decode-request.js';
import { encodeFramed, encodeResponse, framedResponse } from '../../../src/extproc/wire/encode-response.js';
import { NameCache } from '../../../src/extproc/wire/name-cache.js';
import type { PlainFields } from '../../../src/extproc/wire/plain-fields.js';
import { type BodyBytes, CONTINUE, type Reply } from '../../../src/gateway/reply.js';
import {
  type BodyShape,
  type HeadersShape,
  type RequestShape,
  type ResponseShape,
  reference,
  type StructShape,
  toStruct,
} from '../message-shapes.js';
import { commonModel, groupsModel, responseModel, wholeOf } from './response-model.js';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const large = fc.integer({ min: 0, max: 70_000 }).map((length) => Buffer.alloc(length, 0x61));
const body = fc.oneof(bytes, large);
const name = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom(':path', 'x-request-id', '__proto__', 'größe'));
const header = fc.record({ key: name, raw_value: bytes });
const headers = fc.record({
  headers: fc.record({ headers: fc.array(header, { maxLength: 30 }) }),
  end_of_stream: fc.boolean(),
});
const chunk = fc.record({ body, end_of_stream: fc.boolean() });
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.record({ string_value: fc.string() }),
    fc.record({ number_value: fc.double({ noNaN: true }) }),
    fc.record({ bool_value: fc.boolean() }),
    fc.record({ null_value: fc.constant(0) }),
    fc.record({
      struct_value: fc.record({ fields: fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 3 }) }),
    }),
    fc.record({ list_value: fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) }) }),
  ),
})).value;
const struct = fc.record({ fields: fc.dictionary(fc.constantFrom('a', 'rid', 'priority_groups', 'ä'), value) });
const structs = fc.dictionary(fc.constantFrom('tollgate', 'envoy.filters.http.ext_proc', 'other'), struct);
const request = fc.oneof(
  ...(['request_headers', 'response_headers'] as const).map((phase) =>
    fc.record({ [phase]: headers, attributes: structs }),
  ),
  ...(['request_body', 'response_body'] as const).map((phase) =>
    fc.record({ [phase]: chunk, metadata_context: fc.record({ filter_metadata: structs }) }),
  ),
  fc.record({ response_trailers: fc.record({ trailers: fc.record({ headers: fc.array(header, { maxLength: 3 }) }) }) }),
);

const FIELDS = ['a', 'rid', 'priority_groups', 'ä'];

/** What our code can ask of a message, in the words of the reference. */
function seen(message: RequestShape): unknown {
  const phase = PHASES.find((each) => message[each] !== undefined) ?? null;
  const part: (HeadersShape & BodyShape) | undefined = phase === null ? undefined : message[phase];
  const list = phase?.endsWith('headers') ? (part?.headers?.headers ?? []) : [];
  return {
    phase,
    last: part?.end_of_stream === true,
    body: part?.body?.toString('hex') ?? '',
    headers: list.map(({ key, value = '', raw_value }) => [
      key,
      raw_value?.length ? raw_value.toString('latin1') : value,
    ]),
    attributes: scalars(message.attributes?.['envoy.filters.http.ext_proc']),
    metadata: scalars(message.metadata_context?.filter_metadata?.['tollgate']),
  };
}

const PHASES = [
  'request_headers',
  'request_body',
  'request_trailers',
  'response_headers',
  'response_body',
  'response_trailers',
] as const;

function scalars({ fields = {} }: StructShape = {}): unknown {
  const own = (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined);
  return FIELDS.map((name) => [own(name)?.string_value, own(name)?.number_value]);
}

function read(request: ProcessingRequest): unknown {
  const { phase, last, body, headers } = request;
  const asked = (fields: PlainFields) => FIELDS.map((name) => [fields.text(name), fields.number(name)]);
  const entries = headers.entries();
  for (const [name] of entries) {
    const all = entries.filter(([other]) => other === name).map(([, value]) => value);
    assert.deepEqual(headers.all(name), all);
    assert.equal(headers.get(name), all[0]);
  }
  return {
    phase,
    last,
    body: body.toString('hex'),
    headers: entries,
    attributes: asked(request.attributes()),
    metadata: asked(request.metadata()),
  };
}

t.test('requests: our decoder reads what protobufjs reads', async (t) => {
  fc.assert(
    fc.property(request, (message) => {
      const encoded = reference.requestSerialize(message);
      assert.deepEqual(read(decodeRequest(encoded)), seen(reference.requestDeserialize(encoded) as RequestShape));
    }),
    { numRuns: 300 },
  );
  t.ok(true);
});

t.test('requests: no bytes crash or hang the decoder', async (t) => {
  const mutated = fc.tuple(request, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.nat(200));
  fc.assert(
    fc.property(mutated, ([message, changes, cut]) => {
      const encoded = Buffer.from(reference.requestSerialize(message));
      for (const [at, byte] of changes) if (encoded.length > 0) encoded[at % encoded.length] = byte;
      try {
        read(decodeRequest(encoded.subarray(0, Math.max(0, encoded.length - cut))));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
  t.ok(true);
});

t.test('names are what their bytes say, whatever was read before', async (t) => {
  const names = new NameCache();
  const few = fc.array(fc.constantFrom(0x61, 0x62, 0xc3, 0xa9, 0xe9, 0xff), { maxLength: 4 }).map(Buffer.from);
  const any = fc.oneof(few, fc.uint8Array({ maxLength: 80 }).map(Buffer.from));
  fc.assert(
    fc.property(any, (given) => {
      for (let times = 0; times < 2; times += 1) {
        assert.equal(names.text(Buffer.concat([Buffer.from('x'), given]), 1, given.length), given.toString('utf8'));
      }
    }),
    { numRuns: 1000 },
  );
  t.equal(names.text(Buffer.from('é'), 0, 2), 'é');
  t.equal(names.text(Buffer.from([0xe9]), 0, 1), '\ufffd');
});

const latin1 = fc
  .string({ unit: 'binary', maxLength: 60 })
  .map((text) => Buffer.from(text, 'latin1').toString('latin1'));
const pairs = fc.array(fc.tuple(name, fc.oneof(latin1, fc.constant('x'.repeat(20_000)))), { maxLength: 12 });
const anyBody: fc.Arbitrary<BodyBytes> = fc.oneof(body, fc.array(body, { maxLength: 6 }));
const clusters = fc.array(fc.constantFrom('provider-a', 'provider-ä', 'b'), { maxLength: 4 });
const pass = fc.record({
  clusters,
  log: fc.record({ key: fc.string(), model: fc.string({ maxLength: 300 }), endpoint: name, stream: fc.boolean() }),
  mayTranslate: fc.boolean(),
});
const orNull = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.oneof(fc.constant(null), some);
const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({
    kind: fc.constant('continue' as const),
    set: pairs,
    remove: fc.array(name, { maxLength: 30 }),
    body: orNull(anyBody),
    pass: orNull(pass),
    interest: orNull(fc.constantFrom('streamed' as const, 'buffered' as const, 'end' as const)),
    requestBody: orNull(fc.constantFrom('whole' as const, 'unseen' as const)),
  }),
  fc.record({
    kind: fc.constant('refuse' as const),
    status: fc.integer({ min: 100, max: 599 }),
    headers: pairs,
    body,
    details: fc.string(),
  }),
);
const identity: fc.Arbitrary<ReplyIdentity> = fc.record({
  id: fc.string({ maxLength: 130 }),
  generation: fc.string({ maxLength: 5 }),
  requestBody: fc.constantFrom('whole' as const, 'unseen' as const),
  knowsLone: fc.boolean(),
  passedOn: fc.boolean(),
});

/** Decoded by the reference; absent, default and empty are equal. */
function meaning(encoded: Buffer): unknown {
  return comparable(reference.responseDeserialize(encoded));
}

function sameMeaning(ours: ProcessingResponse, model: ResponseShape): void {
  const whole = Buffer.isBuffer(ours) ? ours : Buffer.concat(ours);
  assert.equal(whole[0], 0);
  assert.equal(whole.readUInt32BE(1), whole.length - 5);
  assert.deepEqual(meaning(whole.subarray(5)), meaning(reference.responseSerialize(model)));
}

t.test('responses: protobufjs reads what each reply means', async (t) => {
  const phase = fc.constantFrom('request_headers' as const, 'request_body' as const, 'response_headers' as const);
  let before: readonly [ProcessingResponse, ResponseShape] | null = null;
  fc.assert(
    fc.property(phase, reply, identity, (phase, reply, identity) => {
      const model = responseModel(phase, reply, identity);
      const ours = toResponse(phase, reply, identity);
      sameMeaning(ours, model);
      // Messages lie in the same memory one behind the other.
      if (before !== null) sameMeaning(...before);
      before = [ours, model];
    }),
    { numRuns: 400 },
  );
  t.ok(true);
});

t.test('responses: attempts, bodies, chunks and verdicts mean what they say', async (t) => {
  fc.assert(
    fc.property(pairs, fc.array(name), anyBody, clusters, (set, remove, bytes, clusters) => {
      const one = wholeOf(bytes);
      const metadata = { content_length: String(one.length) };
      sameMeaning(toAttemptResponse({ ...CONTINUE, set, remove, body: bytes }), {
        request_headers: { response: { ...commonModel({ set, remove, body: one }, false), status: 1 } },
        dynamic_metadata: toStruct({ tollgate_attempt: metadata }),
      });
      sameMeaning(toBodyResponse({ set, remove, body: one }), {
        response_body: { response: commonModel({ set, remove, body: one }, true) },
      });
      const mutation = one.length === 0 ? { clear_body: true } : { body: one };
      sameMeaning(toChunkResponse(one), { response_body: { response: { body_mutation: mutation } } });
      sameMeaning(toVerdict(503, clusters), {
        response_headers: { response: commonModel({ set: [[':status', '503']], remove: [], body: null }, false) },
        dynamic_metadata: toStruct({ tollgate: { priority_groups: groupsModel(clusters) } }),
      });
    }),
    { numRuns: 200 },
  );
  t.ok(true);
});

t.test('responses: large values are pieces of their own, in one frame', async (t) => {
  const identity = { id: 'request-1', generation: '7', requestBody: 'whole' } as const;
  for (const length of [10, 4096, 4097, 16_384, 16_385, 200_000]) {
    const large = Buffer.alloc(length, 0x62);
    for (const set of [[], [['x-large', large.toString()] as const, ['y', 'z'] as const]]) {
      for (const body of [large, [large, Buffer.from('"model"'), large], [Buffer.from('{'), large]]) {
        const response = toResponse('request_body', { ...CONTINUE, set, body }, identity);
        const pieces: Buffer[] = [];
        encodeFramed(response, pieces);
        t.ok(Buffer.concat(pieces).subarray(5).equals(encodeResponse(response)));
        const expected = length > 16_384 ? [body].flat().filter((piece) => piece === large).length : 0;
        t.equal(pieces.filter((piece) => piece === large).length, expected, 'not copied');
        sameMeaning(response, responseModel('request_body', { ...CONTINUE, set, body }, identity));
      }
    }
  }
});

t.test('what comes from another generation goes on as it is', async (t) => {
  for (const length of [0, 3, 70_000]) {
    const answer = toChunkResponse(Buffer.alloc(length, 0x61));
    t.ok(encodeResponse(framedResponse(encodeResponse(answer))).equals(encodeResponse(answer)));
    const pieces: Buffer[] = [];
    encodeFramed(framedResponse(encodeResponse(answer)), pieces);
    t.ok(Buffer.concat(pieces).equals(Buffer.isBuffer(answer) ? answer : Buffer.concat(answer)));
  }
});

/** `false`, 0, empty text and bytes mean absent in proto3 (but an empty message is there); an empty list or struct may be there or not. */
function comparable(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  const kept = Object.entries(value)
    .map(([key, each]): [string, unknown] => [key, comparable(each)])
    .filter(([key, each]) => /_value$|^clear_body$/.test(key) || !isDefault(key, each));
  return Object.fromEntries(kept);
}

function isDefault(key: string, value: unknown): boolean {
  if (/^(fields|values)$/.test(key)) return Object.keys(value as object).length === 0;
  return value === '' || value === 0 || value === false;
}

t.test('the service speaks through our codec', async (t) => {
  const method = externalProcessorService()['Process'];
  t.equal(method?.requestDeserialize, decodeRequest);
  t.equal(method?.responseSerialize, encodeResponse);
  t.equal(externalProcessorService(), externalProcessorService(), 'the proto is read once');
});
