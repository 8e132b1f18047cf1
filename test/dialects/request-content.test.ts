import t from 'tap';
import type { Literals } from '../../src/dialects/content-shape.js';
import type { Endpoint } from '../../src/dialects/endpoint.js';
import { matchEndpoint } from '../../src/dialects/endpoints.js';
import { GatewayError } from '../../src/dialects/error.js';
import { scanRequest } from '../../src/dialects/request.js';
import { readContent } from '../../src/dialects/request-content.js';
import type { RequestFacts } from '../../src/dialects/request-facts.js';

const CHAT = endpoint('/v1/chat/completions');

function endpoint(path: string): Endpoint {
  const found = matchEndpoint('POST', path);
  if (found === null) throw new Error(path);
  return found;
}

function facts(body: Buffer, on: Endpoint): RequestFacts {
  const result = scanRequest(on, body, 'application/json');
  if (result instanceof GatewayError) throw result;
  return result;
}

t.test('what there is to read', async (t) => {
  const content = (value: object, on = CHAT) => {
    const body = Buffer.from(JSON.stringify({ model: 'm', user: 'someone', ...value }));
    const found = readContent(body, facts(body, on));
    const read = ({ places, bytes }: Literals): readonly string[] => {
      const texts: string[] = [];
      for (let at = 0; at < places.length; at += 2) texts.push(body.toString('utf8', places[at], places[at + 1]));
      const sum = texts.reduce((total, text) => total + Buffer.byteLength(text), 0);
      t.ok(texts.length === 4_096 ? bytes >= sum : bytes === sum);
      return texts;
    };
    return { ...found, texts: read(found.texts), definitions: read(found.definitions) };
  };
  const image = `data:image/png;base64,${'A'.repeat(4_000)}`;
  const parts = [
    { type: 'text', text: 'what is "this"?' },
    { type: 'image_url', image_url: { detail: 'high', url: image } },
    { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    { type: 'input_audio', input_audio: { data: 'B'.repeat(900), format: 'wav' } },
    { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${'C'.repeat(500)}` } },
    { type: 'file', file: { file_id: 'file-1' } },
  ];
  const chat = content({
    messages: [
      { role: 'system', content: 'be brief' },
      { role: 'user', name: 'bob', content: parts },
    ],
    tools: [{ type: 'function', function: { name: 'f' } }],
    stop: ['never counted'],
  });
  t.same(chat.texts, ['be brief', 'bob', 'what is \\"this\\"?']);
  t.same(chat.definitions, ['[{"type":"function","function":{"name":"f"}}]']);
  t.equal(chat.items, 2);
  t.match(chat.media, {
    image: { parts: 2, inlineBytes: image.length, linked: 1 },
    audio: { parts: 1, inlineBytes: 900, linked: 0 },
    file: { parts: 2, linked: 1 },
    video: { parts: 0 },
  });
  t.equal(chat.mediaBytes, image.length + 900 + 528);
  const items = [
    { role: 'user', content: [{ type: 'input_image', image_url: image, detail: 'low' }] },
    { type: 'function_call_output', call_id: 'c', output: 'sunny' },
  ];
  const responses = content({ instructions: 'help', input: items }, endpoint('/v1/responses'));
  t.same(responses.texts, ['help', 'sunny']);
  t.match(responses, { items: 2, media: { image: { parts: 1, linked: 0 } } });
  const embeddings = endpoint('/v1/embeddings');
  t.match(content({ input: ['a b', 'c'] }, embeddings), { texts: ['a b', 'c'], tokenIds: 0, items: 0 });
  t.match(content({ input: [[1, 22, 333], [4]] }, embeddings), { texts: [], tokenIds: 4 });
  // Words in tool definitions that look like media are text.
  const schema = { type: 'object', properties: { url: { type: 'string' }, image_url: { type: 'string' } } };
  t.match(content({ messages: [], tools: [{ type: 'function', function: { name: 'g', parameters: schema } }] }), {
    media: { image: { parts: 0 } },
  });
  const base64 = 'D'.repeat(700);
  const messages = content(
    {
      system: [{ type: 'text', text: 'rules', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: base64 } },
            { source: { url: 'https://example.com/a.png', type: 'url' }, type: 'image' },
            { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' }, title: 'plan' },
            { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a note' } },
            { type: 'search_result', source: 'https://example.com', content: [{ type: 'text', text: 'found' }] },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's'.repeat(300) },
            { type: 'redacted_thinking', data: 'r'.repeat(300) },
            { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'x', source: { data: 'y' } } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'seen' }] },
      ],
      tools: [{ name: 'look', input_schema: {} }],
      output_config: { effort: 'high', format: { type: 'json_schema', schema: {} } },
    },
    endpoint('/v1/messages'),
  );
  const source = 'https://example.com';
  t.same(messages.texts, [
    'rules',
    'plan',
    'a note',
    source,
    'found',
    'hm',
    'look',
    '{"at":"x","source":{"data":"y"}}',
    'seen',
  ]);
  t.same(messages.definitions, ['[{"name":"look","input_schema":{}}]', '{"type":"json_schema","schema":{}}']);
  t.match(messages, {
    items: 3,
    mediaBytes: 700,
    media: { image: { parts: 2, linked: 1 }, file: { parts: 1, linked: 1 } },
  });
  const gemini = content({
    systemInstruction: { parts: [{ text: 'rules' }] },
    contents: [
      { role: 'user', parts: [{ text: 'what?' }, { inlineData: { data: base64, mimeType: 'image/png' } }] },
      { role: 'model', parts: [{ functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'x' }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { b: 2 } } }] },
      { role: 'user', parts: [{ fileData: { mimeType: 'video/mp4', fileUri: 'gs://a/b' } }] },
    ],
  });
  t.same(gemini.texts, ['rules', 'what?', 'f', '{"a":1}', 'f', '{"b":2}']);
  t.match(gemini, { items: 4, media: { image: { parts: 1, inlineBytes: 700 }, video: { parts: 1, linked: 1 } } });
  const bedrock = content({
    messages: [
      { role: 'user', content: [{ text: 'what?' }, { image: { format: 'png', source: { bytes: base64 } } }] },
      { role: 'assistant', content: [{ toolUse: { toolUseId: 't', name: 'f', input: { a: 1 } } }] },
    ],
    toolConfig: { tools: [{ toolSpec: { name: 'f' } }], toolChoice: { auto: {} } },
  });
  t.same([bedrock.texts, bedrock.definitions], [['what?', 'f', '{"a":1}'], ['[{"toolSpec":{"name":"f"}}]']]);
  t.match(bedrock.media, { image: { parts: 1, inlineBytes: 700 } });
  const hub = content({
    messages: [
      {
        role: 'assistant',
        content: 'a',
        reasoning_content: 'hm',
        thinking_blocks: [{ type: 'thinking', thinking: 'hm' }],
      },
    ],
  });
  t.same(hub.texts, ['a', 'hm'], 'thoughts count once');
  t.same(content({ documents: [{ data: 'no media', document: 'nor this' }] }).texts, ['nor this', 'no media']);
  const many = content({ messages: [{ role: 'user', content: Array.from({ length: 60_000 }, () => 'x') }] }, CHAT);
  t.ok(many.unread > 0, 'work is bounded');
});
