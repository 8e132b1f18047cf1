import fc from 'fast-check';
import protobuf from 'protobufjs';
import t from 'tap';
import { headerView } from '../../src/extproc/header-view.js';
import type { ProcessingResponse } from '../../src/extproc/messages.js';
import {
  priorityGroups,
  toAttemptResponse,
  toBodyResponse,
  toChunkResponse,
  toResponse,
} from '../../src/extproc/replies.js';
import { responseOrigin } from '../../src/extproc/response-origin.js';
import { externalProcessorService } from '../../src/extproc/service-definition.js';
import { numberField, type Plain, stringField, toStruct } from '../../src/extproc/struct.js';
import { CONTINUE } from '../../src/gateway/reply.js';
import { message, VIA_UPSTREAM } from './fake-call.js';

const root = new protobuf.Root().loadSync('proto/external_processor.proto', { keepCase: true });
const typeOf = (name: string) => root.lookupType(`envoy.service.ext_proc.v3.${name}`);
const serialize = externalProcessorService()['Process']?.responseSerialize;
const IDENTITY = { id: 'request-1', generation: '7', requestBody: 'whole' } as const;

/** Over the wire and back: what Envoy reads. */
function overTheWire(response: ProcessingResponse): ProcessingResponse {
  const bytes = serialize?.(response) ?? Buffer.alloc(0);
  const type = typeOf('ProcessingResponse');
  return type.toObject(type.decode(bytes), { bytes: Buffer }) as ProcessingResponse;
}

t.test('headers', async (t) => {
  const view = headerView(message({ ':path': '/x', accept: 'caf\u00e9' }));
  t.equal(view.get(':path'), '/x');
  t.equal(view.get('accept'), 'caf\u00e9', 'bytes, not UTF-8');
  t.equal(view.get('none'), undefined);
  t.same(view.names(), [':path', 'accept']);
  const twice = headerView({
    headers: {
      headers: [
        { key: 'a', value: '1' },
        { key: 'a', raw_value: Buffer.from('2') },
      ],
    },
  });
  t.equal(twice.get('a'), '1', 'the first; `value` where there is no raw_value');
  t.same(twice.all('a'), ['1', '2']);
  t.same(twice.entries(), [
    ['a', '1'],
    ['a', '2'],
  ]);
  t.same(headerView({}).names(), []);
});

t.test('structs survive the wire', async (t) => {
  const type = typeOf('Struct');
  const plain = fc.letrec<{ value: Plain }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.double({ noNaN: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), tie('value'), { maxKeys: 3 }),
    ) as fc.Arbitrary<Plain>,
  })).value;
  fc.assert(
    fc.property(plain, (value) => {
      const bytes = type.encode(type.fromObject(toStruct({ value }))).finish();
      const read = type.toObject(type.decode(bytes)) as { fields: { value: WireValue } };
      return JSON.stringify(toPlain(read.fields.value)) === JSON.stringify(value);
    }),
  );
  const struct = toStruct({ text: 'x', number: 2 });
  t.equal(stringField(struct, 'text'), 'x');
  t.equal(numberField(struct, 'number'), 2);
  t.equal(stringField(struct, 'number'), undefined);
  t.equal(stringField(undefined, 'text'), undefined);
});

interface WireValue {
  readonly string_value?: string;
  readonly number_value?: number;
  readonly bool_value?: boolean;
  readonly list_value?: { readonly values?: readonly WireValue[] };
  readonly struct_value?: { readonly fields?: Readonly<Record<string, WireValue>> };
}

function toPlain(value: WireValue): unknown {
  if (value.list_value) return (value.list_value.values ?? []).map(toPlain);
  if (value.struct_value) {
    return Object.fromEntries(
      Object.entries(value.struct_value.fields ?? {}).map(([key, entry]) => [key, toPlain(entry)]),
    );
  }
  return value.string_value ?? value.number_value ?? value.bool_value ?? null;
}

t.test('replies survive the wire', async (t) => {
  const body = Buffer.from('{"é":1}');
  const pass = { clusters: ['a', 'b'], log: { key: 'web', stream: true }, mayTranslate: true };
  const first = overTheWire(
    toResponse('request_body', { ...CONTINUE, set: [['x', '\u00e9']], remove: ['y'], body, pass }, IDENTITY),
  );
  const common = first.request_body?.response;
  t.same(common?.header_mutation?.remove_headers, ['y']);
  t.same(
    common?.header_mutation?.set_headers?.map(({ header }) => [header.key, header.raw_value?.toString('latin1')]),
    [
      ['x', '\u00e9'],
      ['content-length', String(body.length)],
    ],
  );
  t.same(common?.body_mutation?.body, body);
  t.equal(common?.clear_route_cache, true);
  t.match(toPlain({ struct_value: first.dynamic_metadata ?? {} } as WireValue), {
    tollgate: {
      decision: 'pass',
      translated: '1',
      rid: 'request-1',
      generation: '7',
      key: 'web',
      stream: true,
      priority_groups: [
        { name: 'a', clusters: [{ cluster_name: 'a', weight: 1 }] },
        { name: 'b', clusters: [{ cluster_name: 'b', weight: 1 }] },
      ],
    },
  });
  const streamed = overTheWire(toResponse('response_headers', { ...CONTINUE, interest: 'streamed' }, IDENTITY));
  t.match(streamed.mode_override, { request_body_mode: 2, response_body_mode: 1, response_trailer_mode: 1 });
  t.equal(streamed.dynamic_metadata, undefined);
  const kept = overTheWire(toResponse('response_headers', CONTINUE, { ...IDENTITY, passedOn: true }));
  t.match(
    toPlain({ struct_value: kept.dynamic_metadata ?? {} } as WireValue),
    { tollgate: { translated: '0' } },
    'the answer role, told to stand by, is not needed: both waiting at once, an answer could come out empty',
  );
  const unseen = { ...IDENTITY, requestBody: 'unseen' } as const;
  const early = overTheWire(toResponse('request_headers', { ...CONTINUE, requestBody: 'unseen' }, unseen));
  t.same(early.mode_override, { response_header_mode: 1 }, 'no body of the request');
  t.same(overTheWire(toResponse('response_headers', { ...CONTINUE, interest: 'end' }, unseen)).mode_override, {
    response_header_mode: 1,
    response_trailer_mode: 1,
  });
  const asked = overTheWire(toResponse('request_headers', { ...CONTINUE, requestBody: 'whole' }, IDENTITY));
  t.same(asked.mode_override, { request_body_mode: 2, response_header_mode: 1 });
  t.equal(overTheWire(toResponse('request_headers', CONTINUE, IDENTITY)).dynamic_metadata, undefined);
  const refusal = {
    kind: 'refuse',
    status: 429,
    headers: [['retry-after', '1']],
    body,
    details: 'tollgate_x',
  } as const;
  t.match(overTheWire(toResponse('request_headers', refusal, IDENTITY)), {
    immediate_response: { status: { code: 429 }, body, details: 'tollgate_x' },
  });
  const again = overTheWire(toAttemptResponse({ ...CONTINUE, body }));
  t.equal(again.request_headers?.response?.status, 1, 'continue and replace');
  t.match(toPlain({ struct_value: again.dynamic_metadata ?? {} } as WireValue), {
    tollgate_attempt: { content_length: String(body.length) },
  });
  t.equal(overTheWire(toAttemptResponse(CONTINUE)).dynamic_metadata, undefined);
  t.match(toPlain({ struct_value: priorityGroups(['c']) } as WireValue), {
    tollgate: { priority_groups: [{ name: 'c' }] },
  });
});

t.test('chunks', async (t) => {
  t.same(overTheWire(toChunkResponse(null)), { response_body: { response: {} } });
  t.same(overTheWire(toChunkResponse(Buffer.alloc(0))).response_body?.response?.body_mutation, { clear_body: true });
  t.same(overTheWire(toChunkResponse(Buffer.from('x'))).response_body?.response?.body_mutation, {
    body: Buffer.from('x'),
  });
  t.same(overTheWire(toBodyResponse(null)), { response_body: { response: {} } });
  const whole = overTheWire(toBodyResponse({ body: Buffer.from('x'), set: [[':status', '503']], remove: [] }));
  t.same(
    whole.response_body?.response?.header_mutation?.set_headers?.map(({ header }) => header.key),
    [':status', 'content-length'],
  );
});

t.test('who answered', async (t) => {
  t.match(responseOrigin({ attributes: VIA_UPSTREAM }), { upstream: true, attempts: 0, cluster: null, failure: null });
  t.match(responseOrigin({}), { upstream: false, details: '' });
});
