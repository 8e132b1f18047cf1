import fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../src/dialects/error.js';
import { isObject, type JsonObject, listIn } from '../../../src/dialects/json-value.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import { messagesToChat } from '../../../src/dialects/translate/messages-to-chat/pair.js';
import { isStrictSchema } from '../../../src/dialects/translate/messages-to-chat/strict-schema.js';
import { problemsOf } from '../../schemas/openai-schema.js';
import { checkMessage, readMessage } from '../message-grammar.js';
import { contextFor, goldens } from './messages-goldens.js';

t.test('goldens', async (t) => {
  for (const [name, wanted, found] of goldens()) {
    t.strictSame(found, wanted, name);
    if (found.read !== undefined) t.doesNotThrow(() => checkMessage(found.read ?? {}), `${name}: a message`);
    if (found.written !== undefined) t.doesNotThrow(() => readMessage(found.written ?? []), `${name}: its grammar`);
    const { expected = {}, context } = found;
    if (context?.extended !== true && context?.echoesReasoning !== true && !('error' in expected))
      t.same(problemsOf('CreateChatCompletionRequest', expected), [], `${name}: a request that OpenAI takes`);
  }
});

const REQUEST = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi.' }] };

function bodyOf(request: JsonObject, extended = false): JsonObject {
  return messagesToChat.prepare(request, contextFor({ extended })).body;
}

function refusal(request: JsonObject): string | null {
  try {
    bodyOf({ ...REQUEST, ...request });
    return null;
  } catch (error) {
    if (error instanceof GatewayError) return `${error.status} ${error.code} ${error.param}`;
    throw error;
  }
}

t.test('what cannot be sent is refused by name', async (t) => {
  const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
  const cases: readonly (readonly [request: JsonObject, param: string])[] = [
    [{ messages: undefined }, 'messages'],
    [{ messages: 'x' }, 'messages'],
    [{ messages: [null] }, 'messages'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[].role'],
    [user(7), 'messages[].content'],
    [user([{ type: 'container_upload', file_id: 'f' }]), 'messages[].content[].type'],
    [user([{ type: 'document' }]), 'messages[].content[].source'],
    [user([{ type: 'tool_result', tool_use_id: 'a', content: 7 }]), 'messages[].content[].content'],
    [{ system: [{ type: 'image' }] }, 'messages[].content[].type'],
    [{ tools: 'x' }, 'tools'],
    [{ tools: [7] }, 'tools'],
    [{ tools: [{ type: 'bash_20250124', name: 'bash' }] }, 'tools[].type'],
    [{ tools: [{ type: 'mcp_toolset' }] }, 'tools[].type'],
    [{ tools: [{ name: 'a', input_schema: {} }], tool_choice: { type: 'x' } }, 'tool_choice.type'],
    [{ container: 'c' }, 'container'],
    [{ thread: {} }, 'thread'],
    [{ inference_geo: 'us' }, 'inference_geo'],
    [{ output_config: { format: { type: 'xml' } } }, 'output_config.format'],
  ];
  for (const [request, param] of cases)
    t.equal(refusal(request), `400 unsupported_parameter ${param}`, JSON.stringify(request));
});

t.test('trap 26: results of parallel calls stay together, before what the user says', async (t) => {
  const use = (id: string) => ({ type: 'tool_use', id, name: 'f', input: {} });
  const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: id });
  const content = [{ type: 'text', text: 'And?' }, result('a'), result('b')];
  const messages = [
    ...REQUEST.messages,
    { role: 'assistant', content: [use('a'), use('b')] },
    { role: 'user', content },
  ];
  const roles = listIn(bodyOf({ ...REQUEST, messages }), 'messages').map(
    (message) => isObject(message) && message['role'],
  );
  t.same(roles, ['user', 'assistant', 'tool', 'tool', 'user']);
});

t.test('trap 30: thoughts go back to those that want them, and to nobody else', async (t) => {
  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: '' },
    { type: 'text', text: 'So.' },
  ];
  const messages = [...REQUEST.messages, { role: 'assistant', content }, ...REQUEST.messages];
  const assistant = (changes: Parameters<typeof contextFor>[0]) =>
    listIn(messagesToChat.prepare({ ...REQUEST, messages }, contextFor(changes)).body, 'messages')[1];
  t.same(assistant({}), { role: 'assistant', content: 'So.' });
  t.same(assistant({ echoesReasoning: true }), { role: 'assistant', content: 'So.', reasoning_content: 'Hm.' });
  t.same(
    assistant({ extended: true }),
    { role: 'assistant', content: 'So.', reasoning_content: 'Hm.' },
    'no signature: of another model',
  );
});

t.test('a turn of which nothing is left is no message', async (t) => {
  const messages = [
    ...REQUEST.messages,
    { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature: 's' }] },
    ...REQUEST.messages,
  ];
  t.equal(listIn(bodyOf({ ...REQUEST, messages }), 'messages').length, 2);
  t.equal(listIn(bodyOf({ ...REQUEST, messages }, true), 'messages').length, 3);
});

t.test('schemas that OpenAI takes as strict', async (t) => {
  const object = (more: object) => ({
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
    ...more,
  });
  t.ok(isStrictSchema(object({})));
  t.ok(isStrictSchema(object({ properties: { a: { anyOf: [object({}), { type: 'null' }] } } })));
  for (const loose of [
    object({ required: [] }),
    object({ additionalProperties: true }),
    object({ properties: { a: { type: 'array', items: { type: 'object' } } } }),
    object({ properties: { a: { $ref: '#/$defs/b' } }, $defs: { b: { type: 'object' } } }),
    object({ properties: { a: true } }),
    null,
  ])
    t.notOk(isStrictSchema(loose), JSON.stringify(loose));
});

t.test('whatever a client sends, it is translated or refused', async (t) => {
  const text = fc.oneof(fc.string({ maxLength: 8 }), fc.constant(null), fc.integer());
  const type = fc.constantFrom(
    'text',
    'image',
    'document',
    'tool_use',
    'tool_result',
    'thinking',
    'search_result',
    'x',
  );
  const source = fc.record(
    { type: fc.constantFrom('base64', 'url', 'text', 'content', 'file'), data: text, url: text, content: text },
    { requiredKeys: [] },
  );
  const block = fc.record(
    {
      type,
      text,
      id: text,
      name: text,
      input: fc.jsonValue(),
      content: text,
      source,
      cache_control: fc.constantFrom(null, {}, 1),
    },
    { requiredKeys: ['type'] },
  );
  const turn = fc.record({
    role: fc.constantFrom('user', 'assistant', 'system'),
    content: fc.oneof(text, fc.array(block, { maxLength: 3 })),
  });
  const tool = fc.record(
    { name: text, input_schema: fc.jsonValue(), strict: fc.boolean(), type: fc.constantFrom(null, 'custom', 'x') },
    { requiredKeys: [] },
  );
  const request = fc.record(
    {
      messages: fc.array(turn, { maxLength: 4 }),
      system: fc.oneof(text, fc.array(block, { maxLength: 2 })),
      max_tokens: text,
      tools: fc.array(tool, { maxLength: 2 }),
      tool_choice: fc.record({ type: fc.constantFrom('auto', 'any', 'tool', 'none'), name: text }),
      thinking: fc.record({ type: fc.constantFrom('enabled', 'disabled', 'adaptive'), budget_tokens: text }),
      metadata: fc.jsonValue(),
      output_config: fc.jsonValue(),
      context_management: fc.jsonValue(),
    },
    { requiredKeys: ['messages'] },
  );
  let translated = 0;
  fc.assert(
    fc.property(request as fc.Arbitrary<JsonObject>, fc.boolean(), (asked, extended) => {
      const before = JSON.stringify(asked);
      try {
        const losses = new Losses();
        const { body } = messagesToChat.prepare(asked, contextFor({ extended, losses }));
        if (JSON.stringify(body) === undefined || losses.dropped.some((name) => name === ''))
          throw new Error('no request');
        translated += 1;
      } catch (error) {
        if (!(error instanceof GatewayError) || error.code !== 'unsupported_parameter') throw error;
      }
      if (JSON.stringify(asked) !== before) throw new Error("the client's body was changed");
    }),
    { numRuns: 500 },
  );
  t.ok(translated > 50, `${translated} were translated`);
});
