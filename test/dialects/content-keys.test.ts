import fc from 'fast-check';
import t from 'tap';
import {
  INLINE_VALUES,
  JSON_KEYS,
  keyAt,
  MEDIA_KEYS,
  MEDIA_LITERALS,
  MEDIA_VALUES,
  MIME_KEYS,
  OPAQUE,
  REPEATED,
  SCHEMA_KEYS,
  SOURCE_KEYS,
  STRUCTURE,
  TOP_KEYS,
} from '../../src/dialects/content-keys.js';

const KEYS = new Set([
  ...[...TOP_KEYS.keys(), ...MEDIA_LITERALS.keys(), ...MEDIA_KEYS.keys(), ...SCHEMA_KEYS, ...STRUCTURE, ...OPAQUE],
  ...[...REPEATED, ...JSON_KEYS, ...MIME_KEYS, ...SOURCE_KEYS, ...MEDIA_VALUES, ...INLINE_VALUES],
]);

t.test('keys are known by their bytes, all others are none', async (t) => {
  const read = (key: string): string => {
    const body = Buffer.from(`{"${key}":1}`);
    return keyAt(body, 2, body.length - 4);
  };
  for (const key of KEYS) t.equal(read(key), key);
  const near = fc
    .tuple(fc.constantFrom(...KEYS), fc.nat(30), fc.constantFrom('', 'x', 'é', '_'), fc.nat(1))
    .map(([key, at, put, cut]) => key.slice(0, at) + put + key.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (key) => read(key) === (KEYS.has(key) ? key : '')),
    { numRuns: 2_000 },
  );
});
