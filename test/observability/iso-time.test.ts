import fc from 'fast-check';
import t from 'tap';
import { isoTime } from '../../src/observability/iso-time.js';

t.test('any instant as Date writes it', async (t) => {
  const far = 8_640_000_000_000_000;
  const near = fc.integer({ min: 0, max: 5_000 }).map((ms) => 1_795_349_436_000 + ms);
  fc.assert(
    fc.property(fc.array(fc.oneof(near, fc.integer({ min: -far, max: far })), { minLength: 1 }), (instants) =>
      instants.every((ms) => isoTime(ms) === new Date(ms).toISOString()),
    ),
  );
  t.equal(isoTime(999.9), '1970-01-01T00:00:00.999Z');
  t.throws(() => isoTime(Number.NaN), RangeError);
});
