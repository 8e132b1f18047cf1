import t from 'tap';
import { parseAccessLogLine } from '../../src/accounting/access-log.js';

const WHOLE = {
  time: '2026-11-21T10:00:00.000Z',
  connection: 7,
  id: 'r1',
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  flags: 'DC,UPE',
  details: 'via_upstream',
  bytes_received: 10,
  bytes_sent: 20,
  ms: 30,
  first_byte_ms: 5,
  attempts: 2,
  cluster: 'provider-a',
  failure: null,
  key: 'web',
  model: 'smart',
  endpoint: '/v1/chat/completions',
  stream: true,
  generation: '3',
};

t.test('a line and its absent values', async (t) => {
  t.same(parseAccessLogLine(JSON.stringify(WHOLE)), { ...WHOLE, flags: ['DC', 'UPE'] });
  t.match(parseAccessLogLine('{"time":"t","id":"r","flags":"-","status":"503","stream":"false","generation":2}'), {
    flags: [],
    status: 503,
    stream: false,
    generation: '2',
    details: null,
    attempts: 0,
    first_byte_ms: null,
  });
  for (const bad of ['', '{', '[]', 'null', '{"id":"r"}', '{"time":"t"}', '{"time":"t","id":"-"}']) {
    t.equal(parseAccessLogLine(bad), null, bad);
  }
});
