import t from 'tap';
import type { AccessLogLine } from '../../src/accounting/access-log.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { CHAT, chatBody, headers, headersReply, SampleParts } from './sample-parts.js';

const LINE: AccessLogLine = {
  time: '2026-11-22T00:00:00.000Z',
  connection: 1,
  id: 'request-1',
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  flags: [],
  details: 'via_upstream',
  bytes_received: 1,
  bytes_sent: 1,
  ms: 1,
  first_byte_ms: 1,
  attempts: 1,
  cluster: 'cluster-of-a',
  failure: null,
  key: null,
  model: null,
  endpoint: null,
  stream: true,
  generation: null,
};

/** A stream that broke off after its first words, with what Envoy's log says about it. */
function cut(line: Partial<AccessLogLine>) {
  const parts = new SampleParts();
  parts.words = { attempts: [], end: { ...LINE, ...line } };
  const exchange = new Gateway(parts).open(headers(CHAT));
  headersReply(exchange);
  exchange.requestBody(chatBody('single', true), () => undefined);
  const origin = { upstream: true, details: 'via_upstream', attempts: 1, cluster: 'cluster-of-a', failure: null };
  exchange.responseHeaders(headers({ ':status': '200', 'content-type': 'text/event-stream' }), origin, false);
  exchange.responseChunk(Buffer.from('data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'), false);
  exchange.closed();
  return parts.finals[0];
}

t.test('who cut a stream, and what the client got instead', async (t) => {
  t.match(cut({ flags: ['DC'] }), { status: 200, code: 'client_closed', usage_source: 'estimated' });
  t.match(cut({ flags: ['UPE'] }), { status: 200, code: 'provider_error', attempts: [{ reason: 'reset' }] });
  t.match(cut({ flags: ['SI'] }), { status: 200, code: 'upstream_timeout' });
  // The provider broke off before anything had left Envoy: its own 503 went out.
  t.match(cut({ flags: ['UPE'], status: 503 }), { status: 503, code: 'provider_error', usage_source: 'estimated' });
});
