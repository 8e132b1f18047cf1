import fc from 'fast-check';
import t from 'tap';
import { compileGlobs } from '../../src/config/glob.js';
import { createAccess, createEndpointAccess } from '../../src/policy/access.js';
import type { GatewayKey } from '../../src/policy/keys/key-ring.js';

/** Slow and obvious: the definition of a glob. */
function fits(glob: string, name: string): boolean {
  if (glob === '') return name === '';
  if (glob.startsWith('*')) return fits(glob.slice(1), name) || (name !== '' && fits(glob, name.slice(1)));
  return name !== '' && glob[0] === name[0] && fits(glob.slice(1), name.slice(1));
}

t.test('globs agree with their definition', async (t) => {
  const letters = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 9 });
  fc.assert(
    fc.property(letters('ab/*'), letters('ab/'), (glob, name) => compileGlobs([glob])(name) === fits(glob, name)),
    { numRuns: 20_000 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => compileGlobs(['*'])(text) && compileGlobs([`${text}*`])(text)),
  );
  t.equal(compileGlobs([])('a'), false);
  t.equal(compileGlobs(['openai/*'])('openai/a/b'), true, 'spans slashes');
  t.equal(compileGlobs(['openai/*'])('OpenAI/a'), false, 'case counts');
  t.equal(compileGlobs(['ab*ba'])('aba'), false, 'prefix and suffix may not overlap');
  t.equal(compileGlobs(['a.c', 'a?c', '[ab]'])('abc'), false, 'only the star is special');
});

t.test('a hostile glob costs no more than a search', async (t) => {
  const matches = compileGlobs([`${'*a'.repeat(2000)}*b`]);
  const started = performance.now();
  t.equal(matches(`${'a'.repeat(100_000)}c`), false);
  t.ok(performance.now() - started < 500);
});

t.test('access of keys', async (t) => {
  const key = (models: readonly string[] | null, endpoints?: readonly string[] | null): GatewayKey => ({
    id: 'k',
    labels: {},
    models,
    expiresAt: null,
    ...(endpoints === undefined ? {} : { endpoints }),
  });
  const some = key(['smart', 'openai/*'], ['/v1/embeddings', '/v1/audio/*']);
  const models = createAccess([some]);
  t.ok(models(some, 'smart') && models(some, 'openai/gpt-5') && models(key(null), 'anything'));
  t.notOk(models(some, 'smarter') || models(some, 'groq/x') || models(key([]), 'smart'));
  const endpoints = createEndpointAccess([some]);
  t.ok(
    endpoints(some, '/v1/audio/speech') &&
      endpoints(key([]), '/v1/responses') &&
      endpoints(key([], null), '/v1/responses'),
  );
  t.notOk(endpoints(some, '/v1/chat/completions'));
});
