import t from 'tap';
import { unsignedThoughts } from '../../src/dialects/anthropic/unsigned-thoughts.js';
import { shortToolIds } from '../../src/dialects/openai-chat/short-tool-ids.js';
import { takesEffort } from '../../src/providers/reasoning-effort.js';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

t.test('trap 27: ids of calls that Mistral takes', async (t) => {
  const body = {
    model: 'm',
    messages: [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        tool_calls: [
          { id: 'call_abcdefghijkl', type: 'function', function: { name: 'a', arguments: '{}' } },
          { id: 'AbCdEf123', type: 'function', function: { name: 'b', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_abcdefghijkl', content: '1' },
      { role: 'tool', tool_call_id: 'AbCdEf123', content: '2' },
    ],
  };
  t.ok(shortToolIds.suspects(bytes(body)));
  t.ok(shortToolIds.suspects(Buffer.from(JSON.stringify(body, null, 2))));
  const mended = shortToolIds.mend(body) as unknown as typeof body;
  const [first, second] = mended.messages[1]?.tool_calls ?? [];
  t.match(first?.id, /^[a-zA-Z0-9]{9}$/);
  t.equal(second?.id, 'AbCdEf123', "Mistral's own stay");
  t.equal(mended.messages[2]?.tool_call_id, first?.id);
  t.equal(mended.messages[3]?.tool_call_id, 'AbCdEf123');
  t.same(shortToolIds.mend(body), mended, 'the same ids every time');
  t.equal(shortToolIds.suspects(bytes({ messages: [{ role: 'tool', tool_call_id: 'AbCdEf123' }] })), false);
  const plain = { messages: [{ role: 'user', content: 'no calls' }] };
  t.equal(shortToolIds.suspects(bytes(plain)), false);
  t.equal(shortToolIds.mend(plain), plain);
});

t.test('thoughts without a signature', async (t) => {
  const body = {
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'alone', signature: '' }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: '' },
          { type: 'thinking', thinking: 'signed', signature: 'abc' },
          { type: 'text', text: 'ok' },
        ],
      },
    ],
  };
  t.ok(unsignedThoughts.suspects(Buffer.from(JSON.stringify(body, null, 1))));
  t.same(unsignedThoughts.mend(body), {
    messages: [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'signed', signature: 'abc' },
          { type: 'text', text: 'ok' },
        ],
      },
    ],
  });
  const signed = { messages: [body.messages[0]] };
  t.equal(unsignedThoughts.mend(signed), signed);
  t.equal(unsignedThoughts.suspects(bytes({ messages: [{ content: [{ signature: 'x' }] }] })), false);
});

t.test('who takes reasoning_effort', async (t) => {
  for (const model of ['gpt-5', 'o3', 'gpt-oss-120b', 'magistral-medium', 'deepseek-reasoner', 'unheard-of'])
    t.ok(takesEffort(model), model);
  for (const model of ['gpt-4o', 'gpt-4.1-mini', 'meta-llama/Llama-3.3-70B', 'llama-3.3-70b', 'mistral-large-latest'])
    t.notOk(takesEffort(model), model);
});
