import fc from 'fast-check';
import t from 'tap';
import { idOf } from '../../src/mock/answer.js';
import { behaviourOf } from '../../src/mock/models.js';
import { routeOf } from '../../src/mock/routes.js';

const GOOGLE = '/v1/projects/p/locations/l/publishers/google/models/echo';
const PATHS = [
  ...[
    '/v1/chat/completions',
    '/compatibility/v1/chat/completions',
    '/v1/completions',
    '/v1/responses',
    '/v1/embeddings',
  ],
  ...['/v1/moderations', '/v1/images/generations', '/v1/audio/speech', '/v1/audio/transcriptions', '/v1/rerank'],
  ...['/v1/messages?beta=true', '/v1/messages/count_tokens', '/v2/embed', '/v2/rerank'],
  ...['/v1beta/models/echo:generateContent', '/v1beta/models/echo:streamGenerateContent?alt=sse'],
  ...['/v1beta/models/echo:streamGenerateContent', '/v1/models/echo:countTokens', `${GOOGLE}:batchEmbedContents`],
  ...[`${GOOGLE}:embedContent`, `${GOOGLE}:predict`],
  ...['/v1/projects/p/locations/l/publishers/anthropic/models/echo:rawPredict'],
  ...['/model/echo/converse', '/model/echo/converse-stream', '/model/echo/invoke', '/model/echo/count-tokens'],
  ...['/model/echo/invoke-with-response-stream'],
];

const MEMBERS =
  'messages contents parts content text role user model assistant type tools name input_schema system texts documents query ' +
  'requests instances max_tokens stream anthropic_version input input_type functionDeclarations parameters toolConfig ' +
  'generationConfig responseSchema properties toolResult functionResponse tool_result cache_control tool_choice thinking';
const key = fc.constantFrom(...MEMBERS.split(' '));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    key,
    fc.constantFrom(null, true, 0, -1, 7, 1e300, ''),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));
const body = fc.dictionary(key, value, { maxKeys: 8, noNullPrototype: true });

t.test('no body makes an answer throw, whole or in events', async (t) => {
  const behaviour = behaviourOf('chat');
  if (behaviour === null) throw new Error('chat');
  for (const path of PATHS) {
    const route = routeOf(path);
    if (route === null) throw new Error(`no route ${path}`);
    t.equal(route.model, /echo/.test(path) ? 'echo' : null, path);
    fc.assert(
      fc.property(body, (body) => {
        const id = idOf(Buffer.from(path));
        const answer = route.answer({ body, model: 'echo', behaviour, id, created: 1, file: null, header: () => 'x' });
        if (answer.kind === 'stream') for (const event of answer.events) if (event.length === 0) return false;
        return true;
      }),
      { numRuns: 100 },
    );
  }
});

t.test('paths that nobody answers', async (t) => {
  for (const path of [
    ...[
      '/',
      '/v1',
      '/v1/nothing',
      '/v1beta/models/echo',
      '/v1beta/models/echo:nothing',
      '/model/echo',
      '/model//converse',
    ],
    ...['/v3/embed', '/v1/v1/chat/completions', '/model/a/b/converse'],
  ]) {
    t.equal(routeOf(path), null, path);
  }
  t.equal(routeOf('/model/us.anthropic.claude-v1%3A0/converse')?.model, 'us.anthropic.claude-v1:0');
  t.equal(routeOf('/model/%zz/converse')?.model, '%zz');
});
