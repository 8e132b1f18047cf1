import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { parseAccessLogLine, plainFacts } from '../../src/accounting/access-log.js';

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

/** In the order in which Envoy 1.40 writes them. */
const ENVOY_LINE =
  '{"attempts":1,"bytes_received":211,"bytes_sent":620,"cluster":"provider-p","connection":153,"details":"via_upstream",' +
  '"endpoint":"/v1/chat/completions","failure":null,"first_byte_ms":15,"flags":"-","generation":"1",' +
  '"id":"f69f7cca-2d15-4bb0-808e-5e4850bc7332","key":"bench","method":"POST","model":"p/bench","ms":15,' +
  '"path":"/v1/chat/completions","protocol":"HTTP/1.1","remote":"127.0.0.1","status":200,"stream":false,' +
  '"time":"2026-11-22T12:13:47.101Z"}';

t.test('what is read of a plain line without parsing it is what parsing says', async (t) => {
  const same = (line: string): boolean => {
    const facts = plainFacts(Buffer.from(line).toString('latin1'));
    const parsed = parseAccessLogLine(line);
    if (facts === null) return true;
    const { id, status, flags, bytes_received, bytes_sent, attempts, cluster, generation } = parsed ?? {};
    const wanted = { id, status, flags, bytes_received, bytes_sent, attempts, cluster, generation };
    return parsed !== null && isDeepStrictEqual(facts, wanted);
  };
  t.ok(plainFacts(ENVOY_LINE), 'seen at once');
  t.ok(same(ENVOY_LINE));
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(null, '-', '', '"flags":"-","generation":"9","id":"x",', '"status":500,"stream":', '\\"'),
  );
  const changes = fc.record(
    {
      attempts: fc.nat(3),
      bytes_received: fc.nat(),
      bytes_sent: fc.nat(),
      cluster: fc.oneof(text, fc.constantFrom('provider-a.b/c:1', 'none')),
      details: text,
      endpoint: text,
      failure: text,
      flags: fc.constantFrom('-', '', null, 'DC', 'UF,URX'),
      generation: fc.constantFrom('1', '17', null),
      id: fc.oneof(text, fc.uuid()),
      key: text,
      model: text,
      path: text,
      remote: text,
      status: fc.constantFrom(0, 200, 429, 503),
    },
    { requiredKeys: [] },
  );
  const plain: unknown[] = [];
  fc.assert(
    fc.property(changes, (given) => {
      const line = JSON.stringify({ ...JSON.parse(ENVOY_LINE), ...given });
      if (plainFacts(Buffer.from(line).toString('latin1')) !== null) plain.push(line);
      return parseAccessLogLine(line) === null ? true : same(line);
    }),
    { numRuns: 500 },
  );
  t.ok(plain.length > 20, 'some lines are plain whatever else is in them');
});
