import t from 'tap';
import {
  type CallPart,
  CallSlots,
  type ChatPart,
  readChatBody,
  readChatEvent,
} from '../../../src/dialects/openai-chat/chunk.js';
import { readFinish } from '../../../src/dialects/openai-chat/finish.js';

function partsOf(delta: unknown): readonly ChatPart[] {
  return readChatEvent({ choices: [{ index: 0, delta }] }).choices[0]?.parts ?? [];
}

const call = (from: Partial<CallPart>): CallPart => ({
  kind: 'call',
  index: null,
  id: '',
  name: '',
  arguments: '',
  extra: null,
  ...from,
});

t.test('deltas', async (t) => {
  const cases: readonly (readonly [name: string, delta: unknown, parts: readonly object[]])[] = [
    ['text', { role: 'assistant', content: 'a', refusal: null }, [{ kind: 'text', text: 'a' }]],
    [
      'Snowflake: empty texts for all that is not there',
      {
        content: 'a',
        function_call: { name: '', arguments: '' },
        tool_calls: [{ id: 'x', custom: { name: '', input: '' }, function: { name: 'f', arguments: '' } }],
      },
      [{ kind: 'text', text: 'a' }, call({ id: 'x', name: 'f' })],
    ],
    ['nothing', { content: '', tool_calls: null, reasoning_content: '' }, []],
    ['no delta', null, []],
    ['a delta that is none', 'text', []],
    ['DeepSeek', { content: null, reasoning_content: 'r' }, [{ kind: 'reasoning', text: 'r' }]],
    ['Groq', { reasoning: 'r', channel: 'analysis' }, [{ kind: 'reasoning', text: 'r' }]],
    [
      'OpenRouter tells thoughts twice',
      { content: '', reasoning: 'r', reasoning_details: [{ type: 'reasoning.text', text: 'r' }] },
      [{ kind: 'reasoning', text: 'r' }],
    ],
    [
      'thoughts in details only',
      { reasoning_details: [{ text: 'a' }, { summary: 'b' }, { type: 'reasoning.encrypted', data: 'x' }] },
      [{ kind: 'reasoning', text: 'ab' }],
    ],
    [
      'Mistral: content is a list, thoughts in it',
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'r' }] },
          { type: 'text', text: 'a' },
        ],
      },
      [
        { kind: 'reasoning', text: 'r' },
        { kind: 'text', text: 'a' },
      ],
    ],
    [
      'Mistral: text and a whole call in one delta',
      { content: 'a', tool_calls: [{ id: 'abc', function: { name: 'f', arguments: '{}' } }] },
      [{ kind: 'text', text: 'a' }, call({ id: 'abc', name: 'f', arguments: '{}' })],
    ],
    [
      'arguments as an object, as null',
      {
        tool_calls: [
          { index: 0, function: { name: 'f', arguments: { a: 1 } } },
          { index: 1, function: { arguments: null } },
        ],
      },
      [call({ index: 0, name: 'f', arguments: '{"a":1}' })],
    ],
    [
      'function_call of old',
      { function_call: { name: 'f', arguments: '{' } },
      [call({ index: 0, name: 'f', arguments: '{' })],
    ],
    [
      'a custom tool',
      { tool_calls: [{ id: 'x', custom: { name: 'c', input: 'abc' } }] },
      [call({ id: 'x', name: 'c', arguments: 'abc' })],
    ],
    [
      'members of the hub',
      { thinking_blocks: [{ type: 'thinking', signature: 's' }], refusal: 'no' },
      [
        { kind: 'thinking-block', block: { type: 'thinking', signature: 's' } },
        { kind: 'refusal', text: 'no' },
      ],
    ],
    ['rubbish', { content: 7, tool_calls: [null, 3], thinking_blocks: {}, reasoning_details: [null] }, []],
  ];
  for (const [name, delta, parts] of cases) t.strictSame(partsOf(delta), parts, name);
});

t.test('events', async (t) => {
  const azure = readChatEvent({ choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: [] });
  t.strictSame(azure, { id: '', model: '', choices: [], usage: null }, 'trap 42: an empty first chunk has no choice');
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const places = [
    { choices: [], usage },
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage },
    { choices: [{ index: 0, delta: {} }], x_groq: { id: 'x', usage } },
    { choices: [{ index: 0, delta: {}, usage }] },
  ];
  for (const place of places) t.same(readChatEvent(place).usage, usage, 'trap 15: usage wherever it stands');
  const perplexity = readChatEvent({ choices: [{ index: 0, delta: { content: 'b' }, message: { content: 'ab' } }] });
  t.same(perplexity.choices[0]?.parts, [{ kind: 'text', text: 'b' }], 'the running text is not read again');
  const body = readChatBody({
    model: 'm',
    choices: [{ message: { content: 'ab' }, finish_reason: 'stop', stop_sequence: '#' }],
  });
  t.strictSame(body.choices[0], {
    index: 0,
    parts: [{ kind: 'text', text: 'ab' }],
    finish: 'stop',
    stopSequence: '#',
    extra: null,
  });
});

t.test('which call a piece belongs to', async (t) => {
  const cases: readonly (readonly [name: string, pieces: readonly Partial<CallPart>[], slots: readonly number[]])[] = [
    [
      'OpenAI',
      [{ index: 0, id: 'a', name: 'f' }, { index: 0 }, { index: 1, id: 'b', name: 'g' }, { index: 1 }],
      [0, 0, 1, 1],
    ],
    [
      'interleaved',
      [{ index: 0, id: 'a', name: 'f' }, { index: 1, id: 'b', name: 'g' }, { index: 0 }, { index: 1 }],
      [0, 1, 0, 1],
    ],
    [
      'Mistral: no index',
      [
        { id: 'a', name: 'f' },
        { id: 'b', name: 'g' },
      ],
      [0, 1],
    ],
    ['no index, pieces by id', [{ id: 'a', name: 'f' }, { id: 'b', name: 'g' }, { id: 'a' }, {}], [0, 1, 0, 1]],
    [
      'Google: every index is 0',
      [{ index: 0, id: 'a', name: 'f' }, { index: 0, id: 'b', name: 'g' }, { index: 0 }],
      [0, 1, 1],
    ],
    [
      'id and name repeated',
      [
        { index: 0, id: 'a', name: 'f' },
        { index: 0, id: 'a', name: 'f' },
      ],
      [0, 0],
    ],
    [
      'a new id for each piece',
      [
        { index: 0, id: 'a', name: 'f' },
        { index: 0, id: 'x' },
      ],
      [0, 0],
    ],
    ['neither index nor id', [{ name: 'f' }, { name: 'g' }, {}], [0, 1, 1]],
    ['begins at 1', [{ index: 1, id: 'a', name: 'f' }, { index: 1 }], [0, 0]],
    ['a piece of nothing', [{}], [0]],
  ];
  for (const [name, pieces, expected] of cases) {
    const slots = new CallSlots();
    t.same(
      pieces.map((piece) => slots.slot(call(piece))),
      expected,
      name,
    );
  }
});

t.test('finish reasons', async (t) => {
  t.equal(readFinish('stop', true), 'tool_calls', 'trap 25: stop with calls');
  t.equal(readFinish('length', true), 'length');
  for (const [word, finish] of [
    ['stop', 'stop'],
    ['eos', 'stop'],
    [null, 'stop'],
    ['constructor', 'stop'],
    ['model_length', 'length'],
    ['function_call', 'tool_calls'],
    ['content_filter', 'content_filter'],
    ['insufficient_system_resource', 'error'],
  ] as const)
    t.equal(readFinish(word, false), finish, String(word));
});
