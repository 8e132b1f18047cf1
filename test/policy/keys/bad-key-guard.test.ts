import t from 'tap';
import { createBadKeyGuard, sourceOf } from '../../../src/policy/keys/bad-key-guard.js';

t.test('case 10: bad keys', async (t) => {
  let now = 1000;
  const guard = createBadKeyGuard({ now: () => now });
  const refusals = Array.from({ length: 1000 }, () => guard.bad('10.0.0.1'));
  t.same(refusals.slice(0, 20), Array(20).fill(0), 'twenty are answered 401');
  t.same(new Set(refusals.slice(20)), new Set([10_000]), 'the rest waits for the end of ten seconds');
  t.equal(guard.bad('10.0.0.2'), 0, 'another source is not affected');
  now += 9999;
  t.equal(guard.bad('10.0.0.1'), 1);
  now += 1;
  t.equal(guard.bad('10.0.0.1'), 0, 'a new window');

  for (let index = 0; index < 20; index += 1) guard.bad(`2001:db8::${index.toString(16)}`);
  t.ok(guard.bad('2001:db8:0:0:ffff:1:2:3') > 0, 'the addresses of one IPv6 network are one source');
  t.equal(guard.bad('2001:db8:0:1::1'), 0);
  t.equal(guard.bad('::1'), 0);
  for (let index = 0; index < 20; index += 1) guard.bad('');
  t.ok(guard.bad('') > 0, 'without an address all are one source');
  for (let index = 0; index < 30_000; index += 1) guard.bad(`198.51.${index >> 8}.${index & 255}`);
  t.equal(guard.bad('10.0.0.1'), 0, 'sources are forgotten when too many come: memory is bounded');
});

t.test('the source is what Envoy appended', async (t) => {
  t.equal(sourceOf('203.0.113.7'), '203.0.113.7');
  t.equal(sourceOf('6.6.6.6, 127.0.0.1 ,203.0.113.7'), '203.0.113.7', 'not what the client claims');
  t.equal(sourceOf('x,2001:db8::1'), '2001:db8::1');
  t.equal(sourceOf(undefined), '');
});
