import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { ProcessingRequest, ProcessingResponse } from '../../../src/extproc/messages.js';
import { externalProcessorService, referenceService } from '../../../src/extproc/service-definition.js';
import { decodeRequest } from '../../../src/extproc/wire/decode-request.js';
import { encodeFramed, encodeResponse } from '../../../src/extproc/wire/encode-response.js';
import { NameCache } from '../../../src/extproc/wire/name-cache.js';

const reference = referenceService()['Process'];
if (!reference) throw new Error('no Process');

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

/** What our code reads of a decoded message: absent and default are the same to it. */
function seen(message: ProcessingRequest): unknown {
  const read = (part: ProcessingRequest['request_headers']) =>
    part && [
      part.end_of_stream === true,
      (part.headers?.headers ?? []).map((each) => [each.key, each.raw_value?.toString('hex') ?? '', each.value ?? '']),
    ];
  const cut = (part: ProcessingRequest['request_body']) =>
    part && [part.end_of_stream === true, part.body?.toString('hex') ?? ''];
  const plain = (part: unknown): unknown => withoutEmpty(plainJson(part ?? {}));
  return {
    headers: [read(message.request_headers), read(message.response_headers)],
    bodies: [cut(message.request_body), cut(message.response_body)],
    trailers: Boolean(message.response_trailers),
    attributes: plain(message.attributes),
    metadata: plain(message.metadata_context?.filter_metadata),
  };
}

function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, each: unknown) => (Object.is(each, -0) ? 0 : each)));
}

/** An empty list or struct may be there or not. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, each]) => !/^(fields|values)$/.test(key) || Object.keys(each as object).length > 0,
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutEmpty(each)]));
}

t.test('requests: our decoder reads what protobufjs reads', async (t) => {
  fc.assert(
    fc.property(request, (message) => {
      const encoded = reference.requestSerialize(message);
      assert.deepEqual(seen(decodeRequest(encoded)), seen(reference.requestDeserialize(encoded) as ProcessingRequest));
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
        decodeRequest(encoded.subarray(0, Math.max(0, encoded.length - cut)));
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

const mutation = fc.record({
  set_headers: fc.array(fc.record({ header }), { maxLength: 20 }),
  remove_headers: fc.array(name, { maxLength: 20 }),
});
const common = fc.record(
  {
    status: fc.constantFrom(0, 1),
    header_mutation: mutation,
    body_mutation: fc.oneof(fc.record({ body }), fc.record({ clear_body: fc.boolean() })),
    clear_route_cache: fc.boolean(),
  },
  { requiredKeys: [] },
);
const part = fc.record({ response: common }, { requiredKeys: [] });
const modes = fc.record(
  {
    request_header_mode: fc.nat(2),
    response_header_mode: fc.nat(2),
    request_body_mode: fc.nat(4),
    response_body_mode: fc.nat(4),
    response_trailer_mode: fc.nat(2),
  },
  { requiredKeys: [] },
);
const response = fc.oneof(
  ...(['request_headers', 'request_body', 'response_headers', 'response_body'] as const).map((phase) =>
    fc.record({ [phase]: part, dynamic_metadata: struct, mode_override: modes }, { requiredKeys: [phase] }),
  ),
  fc.record({
    immediate_response: fc.record(
      {
        status: fc.record({ code: fc.integer({ min: 100, max: 599 }) }),
        headers: mutation,
        body,
        details: fc.string(),
      },
      { requiredKeys: ['status'] },
    ),
  }),
  fc.constant({ response_trailers: {} }),
  fc.constant({ request_trailers: {} }),
);

/** Decoded by the reference with every default filled in, so that absent and default are equal. */
function meaning(encoded: Buffer): unknown {
  return withoutEmpty(plainJson(reference?.responseDeserialize(encoded)));
}

t.test('responses: protobufjs reads what our encoder wrote', async (t) => {
  fc.assert(
    fc.property(response, (message) => {
      const ours = encodeResponse(message as unknown as ProcessingResponse);
      const theirs = reference.responseSerialize(message);
      assert.deepEqual(withoutDefaults(meaning(ours)), withoutDefaults(meaning(theirs)));
    }),
    { numRuns: 300 },
  );
  t.ok(true);
});

t.test('responses: large values are pieces of their own, in one frame', async (t) => {
  for (const length of [10, 4096, 4097, 16_384, 16_385, 200_000]) {
    const large = Buffer.alloc(length, 0x62);
    const set_headers = [{ header: { key: 'x-large', raw_value: large } }, { header: { key: 'y', raw_value: large } }];
    const mutations = [
      { header_mutation: { set_headers: [] }, body_mutation: { body: large }, clear_route_cache: true },
      { header_mutation: { set_headers }, clear_route_cache: true },
      { header_mutation: { set_headers }, body_mutation: { body: large } },
    ];
    for (const message of mutations.map((common) => ({ request_body: { response: common } }))) {
      const pieces: Buffer[] = [];
      encodeFramed(message, pieces);
      const whole = Buffer.concat(pieces);
      t.equal(whole.readUInt32BE(1), whole.length - 5);
      t.ok(whole.subarray(5).equals(encodeResponse(message)));
      t.equal(pieces.includes(large), length > 16_384, 'not copied');
      assert.deepEqual(meaning(whole.subarray(5)), meaning(reference.responseSerialize(message)));
    }
  }
});

/** `false`, 0, empty text and bytes mean absent in proto3 (but an empty message is there). */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, each]) => /_value$/.test(key) || key === 'clear_body' || !['', 0, false].includes(each as never),
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutDefaults(each)]));
}

t.test('the service speaks through our codec', async (t) => {
  const method = externalProcessorService()['Process'];
  t.equal(method?.requestDeserialize, decodeRequest);
  t.equal(method?.responseSerialize, encodeResponse);
  t.equal(externalProcessorService(), externalProcessorService(), 'the proto is read once');
});
