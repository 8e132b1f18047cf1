import fc from 'fast-check';
import t from 'tap';
import { namesStoredObjects, storedReference } from '../../src/dialects/stored-objects.js';

t.test('case 14: paths that name what a provider stores', async (t) => {
  const stored: readonly (readonly [method: string, path: string])[] = [
    ['GET', '/v1/files/f'],
    ['POST', '/v1/uploads'],
    ['POST', '/openai/v1/threads/t/messages'],
    ['GET', '/v1/responses'],
    ['POST', '/v1/responses/r/cancel'],
    ['GET', '/v1/chat/completions'],
    ['POST', '/v1/chat/completions/c'],
    ['GET', '/upload/v1beta/Files?uploadType=media'],
    ['GET', '/v1beta/files:list'],
    ['GET', '/v1/x%2ffiles'],
    ['GET', '/v1/%46iles/'],
    ['GET', '\\v1\\files'],
    ['GET', '/v1/projects/p/locations/l/cachedContents/c'],
    ['GET', '/v1/files/%ff'],
  ];
  for (const [method, path] of stored) t.ok(namesStoredObjects(method, path), `${method} ${path}`);
  const free: readonly (readonly [method: string, path: string])[] = [
    ['POST', '/v1/responses'],
    ['POST', '/v1/responses?x=files'],
    ['POST', '/v1/chat/completions'],
    ['POST', '/v1/completions'],
    ['GET', '/v1/models/files-model'],
    ['POST', '/v1beta/models/gemini:batchEmbedContents'],
    ['POST', '/model/anthropic.claude/converse'],
    ['POST', '/v1/audio/transcriptions#files'],
    ['GET', '/'],
  ];
  for (const [method, path] of free) t.notOk(namesStoredObjects(method, path), `${method} ${path}`);
});

t.test('case 14: bodies that refer to it, however they are written', async (t) => {
  const references: readonly (readonly [field: string | null, body: object])[] = [
    ['previous_response_id', { previous_response_id: 'r' }],
    ['conversation', { conversation: { id: 'c' } }],
    ['input[].id', { input: ['x', { id: 'm' }] }],
    ['input[].id', { input: [{ type: 'item_reference', id: 'm' }] }],
    ['tools[].container', { tools: [{ type: 'code_interpreter', container: 'c' }] }],
    [null, { previous_response_id: null, conversation: null }],
    [
      null,
      {
        input: [
          { type: 'reasoning', id: 'rs' },
          { id: 'm', role: 'user', content: 'x' },
        ],
      },
    ],
    [null, { tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] }],
    [null, { input: '"previous_response_id"' }],
  ];
  /** Every letter of names and texts as an escape, or not. */
  const spelled = (body: object, escaped: (at: number) => boolean): string =>
    JSON.stringify(body).replace(/[a-z_]/g, (letter, at: number) =>
      // Outside of quotes there are only `null`, `true` and numbers.
      escaped(at) && isQuoted(JSON.stringify(body), at) ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter,
    );
  for (const [field, body] of references) {
    t.equal(storedReference('openai-responses', Buffer.from(JSON.stringify(body))), field);
    fc.assert(
      fc.property(fc.infiniteStream(fc.boolean()), (escapes) => {
        const text = spelled(body, () => escapes.next().value === true);
        return storedReference('openai-responses', Buffer.from(text)) === field;
      }),
      { numRuns: 50 },
    );
  }
  const messages = (body: object) => storedReference('anthropic-messages', Buffer.from(JSON.stringify(body)));
  t.equal(messages({ container: 'c' }), 'container');
  t.equal(messages({ container: { id: 'c' } }), 'container');
  t.equal(messages({ container: { skills: [] } }), null);
  t.equal(storedReference('openai-chat', Buffer.from('{"conversation":"c"}')), null, 'chat completions have none');
  t.equal(storedReference('openai-responses', Buffer.from('{"id":')), null, 'what is no JSON is refused elsewhere');
});

function isQuoted(text: string, at: number): boolean {
  let quoted = false;
  for (let place = 0; place < at; place += 1) {
    if (text[place] === '\\') place += 1;
    else if (text[place] === '"') quoted = !quoted;
  }
  return quoted;
}
