import t from 'tap';
import {
  goOnUnseen,
  toAttemptResponse,
  toBodyResponse,
  toChunkResponse,
  toResponse,
  toVerdict,
} from '../../src/extproc/replies.js';
import { responseOrigin } from '../../src/extproc/response-origin.js';
import { CONTINUE } from '../../src/gateway/reply.js';
import { message, VIA_UPSTREAM } from './fake-call.js';
import { plainOf, type ResponseShape, requestOf, shapeOf } from './message-shapes.js';

const IDENTITY = { id: 'request-1', generation: '7', requestBody: 'whole' } as const;

function metadataOf({ dynamic_metadata = {} }: ResponseShape): unknown {
  return plainOf({ struct_value: dynamic_metadata });
}

t.test('headers', async (t) => {
  const view = requestOf({ request_headers: message({ ':path': '/x', accept: 'caf\u00e9', empty: '' }) }).headers;
  t.equal(view.get(':path'), '/x');
  t.equal(view.get('accept'), 'caf\u00e9', 'bytes, not UTF-8');
  t.equal(view.get('accept'), 'caf\u00e9', 'again');
  t.equal(view.get('empty'), '');
  t.equal(view.get('none'), undefined);
  t.same(view.names(), [':path', 'accept', 'empty']);
  const headers = [
    { key: 'a', value: '1' },
    { key: 'b', raw_value: Buffer.from('3') },
    { key: 'a', raw_value: Buffer.from('2') },
  ];
  const twice = requestOf({ response_headers: { headers: { headers } } }).headers;
  t.same(twice.all('a'), ['1', '2']);
  t.equal(twice.get('a'), '1', 'the first; `value` where there is no raw_value');
  t.same(twice.all('c'), []);
  t.same(twice.entries(), [
    ['a', '1'],
    ['b', '3'],
    ['a', '2'],
  ]);
  t.same(requestOf({ request_headers: {} }).headers.names(), []);
  t.same(requestOf({ request_body: {} }).headers.names(), []);
});

t.test('replies survive the wire', async (t) => {
  const body = Buffer.from('{"é":1}');
  const pass = { clusters: ['a', 'b'], log: { key: 'web', stream: true }, mayTranslate: true };
  const first = shapeOf(
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
  t.match(metadataOf(first), {
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
  const streamed = shapeOf(toResponse('response_headers', { ...CONTINUE, interest: 'streamed' }, IDENTITY));
  t.match(streamed.mode_override, { request_body_mode: 2, response_body_mode: 1, response_trailer_mode: 1 });
  t.equal(streamed.dynamic_metadata, undefined);
  const kept = shapeOf(toResponse('response_headers', CONTINUE, { ...IDENTITY, passedOn: true }));
  t.match(
    metadataOf(kept),
    { tollgate: { translated: '0' } },
    'the answer role, told to stand by, is not needed: both waiting at once, an answer could come out empty',
  );
  const unseen = { ...IDENTITY, requestBody: 'unseen' } as const;
  const early = shapeOf(toResponse('request_headers', { ...CONTINUE, requestBody: 'unseen' }, unseen));
  t.same(early.mode_override, { response_header_mode: 1 }, 'no body of the request');
  t.same(shapeOf(toResponse('response_headers', { ...CONTINUE, interest: 'end' }, unseen)).mode_override, {
    response_header_mode: 1,
    response_trailer_mode: 1,
  });
  const asked = shapeOf(toResponse('request_headers', { ...CONTINUE, requestBody: 'whole' }, IDENTITY));
  t.same(asked.mode_override, { request_body_mode: 2, response_header_mode: 1 });
  t.equal(shapeOf(toResponse('request_headers', CONTINUE, IDENTITY)).dynamic_metadata, undefined);
  const refusal = {
    kind: 'refuse',
    status: 429,
    headers: [['retry-after', '1']],
    body,
    details: 'tollgate_x',
  } as const;
  t.match(shapeOf(toResponse('request_headers', refusal, IDENTITY)), {
    immediate_response: { status: { code: 429 }, body, details: 'tollgate_x' },
  });
  const again = shapeOf(toAttemptResponse({ ...CONTINUE, body }));
  t.equal(again.request_headers?.response?.status, 1, 'continue and replace');
  t.match(metadataOf(again), {
    tollgate_attempt: { content_length: String(body.length) },
  });
  t.equal(shapeOf(toAttemptResponse(CONTINUE)).dynamic_metadata, undefined);
  const verdict = shapeOf(toVerdict(503, ['c']));
  t.match(metadataOf(verdict), { tollgate: { priority_groups: [{ name: 'c' }] } });
  const [status] = verdict.response_headers?.response?.header_mutation?.set_headers ?? [];
  t.match(status?.header, { key: ':status', raw_value: Buffer.from('503') });
  t.equal(shapeOf(toVerdict(503, null)).dynamic_metadata, undefined);
  t.same(shapeOf(goOnUnseen('whole')), {
    response_headers: { response: {} },
    mode_override: { response_header_mode: 1, request_body_mode: 2, response_trailer_mode: 1 },
  });
});

t.test('chunks', async (t) => {
  t.same(shapeOf(toChunkResponse(null)), { response_body: { response: {} } });
  t.same(shapeOf(toChunkResponse(Buffer.alloc(0))).response_body?.response?.body_mutation, { clear_body: true });
  t.same(shapeOf(toChunkResponse(Buffer.from('x'))).response_body?.response?.body_mutation, {
    body: Buffer.from('x'),
  });
  t.same(shapeOf(toBodyResponse(null)), { response_body: { response: {} } });
  const whole = shapeOf(toBodyResponse({ body: Buffer.from('x'), set: [[':status', '503']], remove: [] }));
  t.same(
    whole.response_body?.response?.header_mutation?.set_headers?.map(({ header }) => header.key),
    [':status', 'content-length'],
  );
});

t.test('who answered', async (t) => {
  t.match(responseOrigin(requestOf({ response_headers: {}, attributes: VIA_UPSTREAM })), {
    upstream: true,
    attempts: 0,
    cluster: null,
    failure: null,
  });
  t.match(responseOrigin(requestOf({})), { upstream: false, details: '' });
});
