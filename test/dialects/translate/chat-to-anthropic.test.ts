import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../src/dialects/error.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../../src/dialects/json-value.js';
import type { TranslationContext } from '../../../src/dialects/translate/translation.js';
import { anthropicRequest } from '../../schemas/anthropic-request.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { ask, callsIn, collect, prepare, streamed, TOOLS, tool } from './claude-calls.js';

/** Goldens: what goes in by hand, what comes out as the code says; `UPDATE_GOLDEN=1` writes the results anew. */
interface Golden {
  readonly model: string;
  readonly request: JsonObject;
  readonly answer?: JsonObject;
  readonly events?: readonly JsonObject[];
  readonly expected?: unknown;
  readonly warnings?: readonly string[];
  readonly read?: JsonObject;
  readonly streamed?: readonly unknown[];
}

const FOLDER = 'test/golden/translate/chat-to-anthropic';

function run({ model, request, answer, events }: Golden): Golden {
  const given = { model, request, ...(answer && { answer }), ...(events && { events }) };
  const call = prepare(request, model);
  return {
    ...given,
    expected: call.body,
    warnings: call.warnings,
    ...(answer && { read: call.answer(answer) }),
    ...(events && { streamed: streamed(call, events) }),
  };
}

function refused(more: JsonObject, model?: string): string {
  try {
    ask(more, model);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'unsupported_parameter') return error.param ?? '';
    throw error;
  }
  return 'not refused';
}

t.test('goldens', async (t) => {
  for (const name of readdirSync(FOLDER).filter((each) => each.endsWith('.json'))) {
    const golden = JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as Golden;
    const now = JSON.parse(JSON.stringify(run(golden))) as Golden;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(`${FOLDER}/${name}`, `${JSON.stringify(now, null, 2)}\n`);
    else t.strictSame(now, golden, name);
    const { read, streamed: chunks } = now;
    if (read === undefined || chunks === undefined || name.startsWith('14')) continue;
    // Both forms of one answer say the same.
    const whole = objectIn(listIn(read, 'choices')[0], 'message') ?? {};
    const collected = collect(chunks);
    t.equal(collected.content, stringIn(whole, 'content') ?? '', `${name}: content`);
    t.strictSame(
      collected.calls.map((call) => [call.id, call.name, JSON.parse(call.arguments)]),
      callsIn(whole),
      `${name}: calls`,
    );
    t.equal(collected.reasoning, stringIn(whole, 'reasoning_content') ?? '', `${name}: reasoning`);
  }
});

t.test('trap 26: results of parallel calls are one turn, before its text', async (t) => {
  const { body } = prepare({
    messages: [
      { role: 'user', content: 'Go.' },
      {
        role: 'assistant',
        tool_calls: ['a', 'b'].map((id) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })),
      },
      { role: 'tool', tool_call_id: 'a', content: 'A' },
      { role: 'user', content: 'Quick!' },
      { role: 'tool', tool_call_id: 'b', content: 'B' },
    ],
    ...TOOLS,
  });
  const last = listIn(body, 'messages').at(-1);
  t.strictSame(listIn(body, 'messages').length, 3);
  t.match(last, {
    role: 'user',
    content: [{ tool_use_id: 'a' }, { tool_use_id: 'b' }, { type: 'text', text: 'Quick!' }],
  });
});

t.test('trap 27: ids of calls that other providers made', async (t) => {
  const turn = (id: string) => [
    { role: 'assistant', tool_calls: [{ id, type: 'function', function: { name: 'look', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: id, content: 'x' },
  ];
  const { body } = prepare({
    messages: [
      { role: 'user', content: 'Go.' },
      ...['functions.look:0', 'functions_look_0', 'functions.look:0', '', 'é'.repeat(300)].flatMap(turn),
    ],
    ...TOOLS,
  });
  const blocks = listIn(body, 'messages').flatMap((message) => listIn(message, 'content'));
  const made = blocks.flatMap((each) => stringIn(each, 'id') ?? []);
  const answered = blocks.flatMap((each) => stringIn(each, 'tool_use_id') ?? []);
  t.equal(new Set(made).size, 5, 'no two alike');
  t.strictSame(answered, made, 'calls and results meet');
  for (const id of made) t.match(id, /^[a-zA-Z0-9_-]{1,128}$/);
});

t.test('an id that comes again in every turn is made unique', async (t) => {
  const turns = Array.from({ length: 3000 }, () => [
    {
      role: 'assistant',
      tool_calls: [{ id: 'look:0', type: 'function', function: { name: 'look', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'look:0', content: 'x' },
  ]);
  const { body } = prepare({ messages: [{ role: 'user', content: 'Go.' }, ...turns.flat()], ...TOOLS });
  t.doesNotThrow(() => assertRequest(anthropicRequest, body));
});

t.test('thoughts that nobody signed are left out, and told', async (t) => {
  const message = {
    role: 'assistant',
    thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: '' }, { type: 'redacted_thinking' }],
    content: 'x',
  };
  const call = prepare({ messages: [{ role: 'user', content: 'Go.' }, message, { role: 'user', content: 'On.' }] });
  t.strictSame(call.warnings, ['messages[].thinking_blocks']);
  t.strictSame(listIn(call.body, 'messages')[1], { role: 'assistant', content: [{ type: 'text', text: 'x' }] });
});

t.test('what cannot be expressed is refused by name', async (t) => {
  const part = (content: JsonObject) => ({ messages: [{ role: 'user', content: [content] }] });
  const cases: readonly [param: string, request: JsonObject, model?: string][] = [
    ['n', { n: 2 }],
    ['modalities', { modalities: ['text', 'audio'], audio: { voice: 'x' } }],
    ['web_search_options', { web_search_options: {} }],
    ['messages', { messages: [{ role: 'system', content: 'x' }] }],
    ['messages', { messages: [{ role: 'user', content: ' ' }] }],
    ['messages[].role', { messages: [{ role: 'robot', content: 'x' }] }],
    ['messages[].content[].type', part({ type: 'video_url', video_url: { url: 'https://x' } })],
    ['messages[].content[].input_audio', part({ type: 'input_audio', input_audio: { data: 'x', format: 'wav' } })],
    ['messages[].content[].image_url', part({ type: 'image_url', image_url: { url: 'gs://bucket/x.png' } })],
    [
      'messages[].content[].image_url',
      part({ type: 'image_url', image_url: { url: 'data:image/svg+xml;base64,eA==' } }),
    ],
    ['messages[].content[].file', part({ type: 'file', file: { file_id: 'file-1' } })],
    ['messages[].content[].file', part({ type: 'file', file: { file_data: 'data:application/zip;base64,eA==' } })],
    [
      'messages[].tool_calls[].type',
      { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'custom', custom: {} }] }] },
    ],
    ['tools[].type', { tools: [{ type: 'custom', custom: { name: 'x' } }] }],
    ['tool_choice', { ...TOOLS, tool_choice: 'sometimes' }],
    ['tool_choice', { ...TOOLS, tool_choice: 'required' }, 'claude-opus-5-5'],
    ['response_format.type', { response_format: { type: 'grammar' } }],
    [
      'response_format.json_schema.schema',
      { response_format: { type: 'json_schema', json_schema: { schema: { type: 'array' } } } },
    ],
    ['reasoning_effort', { reasoning_effort: 'immense' }],
    ['thinking.type', { thinking: { type: 'deep' } }],
  ];
  for (const [param, request, model] of cases) t.equal(refused(request, model), param, JSON.stringify(request));
  t.equal(refused({ ...TOOLS, tool_choice: 'required' }), 'not refused');
});

t.test('no more than four cache breakpoints', async (t) => {
  const mark = { cache_control: { type: 'ephemeral' } };
  const text = (said: string) => ({ type: 'text', text: said, ...mark });
  const turn = (index: number) => [
    { role: 'user', content: [text(`u${index}`)] },
    { role: 'assistant', content: [{ type: 'text', text: 'x' }] },
  ];
  const messages = [{ role: 'system', content: [text('s')] }, ...[0, 1, 2, 3].flatMap(turn)];
  const { body, warnings } = prepare({ messages, tools: TOOLS.tools.map((tool) => ({ ...tool, ...mark })) });
  const marked = JSON.stringify(body).split('"cache_control"').length - 1;
  t.equal(marked, 4);
  t.strictSame(warnings, ['cache_control']);
  t.match(body, { system: [mark], tools: [mark] }, 'the oldest messages lose theirs');
  t.match(listIn(body, 'messages').at(-2), { content: [mark] });
  const many = Array.from({ length: 6 }, (_, index) => text(`s${index}`));
  const systems = prepare({
    messages: [
      { role: 'system', content: many },
      { role: 'user', content: 'Hi' },
    ],
  });
  t.strictSame(
    listIn(systems.body, 'system').map((each) => 'cache_control' in (each as object)),
    [false, false, true, true, true, true],
  );
});

t.test('bounds of the output', async (t) => {
  const bound = (request: JsonObject, context: Partial<TranslationContext> = {}, model = 'claude-sonnet-4-5') =>
    ask(request, model, context).body['max_tokens'];
  t.equal(bound({}), 4096, 'the default');
  t.equal(bound({}, { defaultOutputTokens: 50_000 }, 'claude-3-haiku-20240307'), 4096, 'no more than the model gives');
  t.equal(bound({ max_tokens: 10 }), 10);
  t.equal(bound({ max_completion_tokens: 20, max_tokens: 10 }), 20);
  t.equal(bound({ max_tokens: 0 }), 4096);
  t.equal(bound({ max_tokens: null }), 4096);
  t.equal(bound({ max_tokens: 1000 }, { outputCap: 500 }), 500);
  t.equal(bound({ max_tokens: 100 }, { outputCap: 500 }), 100);
  t.equal(bound({}, { outputCap: 500 }), 500);
  t.equal(bound({ reasoning_effort: 'high' }), 12_288, 'a budget comes on top of a default');
  t.equal(bound({ reasoning_effort: 'high' }, { outputCap: 9000 }), 9000, 'but not of a bound');
});

t.test('thinking by generation of the model', async (t) => {
  const cases: readonly [model: string, request: JsonObject, body: JsonObject, warnings: readonly string[]][] = [
    ['claude-sonnet-4-5', { reasoning_effort: 'low' }, { thinking: { type: 'enabled', budget_tokens: 2048 } }, []],
    ['claude-sonnet-4-5', { reasoning_effort: 'none' }, {}, []],
    [
      'claude-sonnet-4-5',
      { reasoning_effort: 'high', max_tokens: 4000 },
      { thinking: { type: 'enabled', budget_tokens: 3000 } },
      [],
    ],
    ['claude-sonnet-4-5', { reasoning_effort: 'high', max_tokens: 1000 }, {}, ['reasoning_effort']],
    ['claude-sonnet-4-5', { reasoning_effort: 'high', ...TOOLS, tool_choice: 'required' }, {}, ['reasoning_effort']],
    [
      'claude-sonnet-4-5',
      { thinking: { type: 'adaptive' } },
      { thinking: { type: 'enabled', budget_tokens: 8192 } },
      ['thinking.type'],
    ],
    ['claude-3-5-haiku-20241022', { reasoning_effort: 'high' }, {}, ['reasoning_effort']],
    ['claude-3-5-haiku-20241022', { thinking: { type: 'disabled' } }, {}, []],
    [
      'claude-opus-4-6',
      { reasoning_effort: 'max' },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } },
      [],
    ],
    [
      'claude-opus-4-6',
      { reasoning_effort: 'xhigh' },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      ['reasoning_effort'],
    ],
    [
      'claude-opus-4-6',
      { thinking: { type: 'enabled', budget_tokens: 2000 } },
      { thinking: { type: 'enabled', budget_tokens: 2000 } },
      [],
    ],
    [
      'claude-opus-4-7',
      { thinking: { type: 'enabled', budget_tokens: 3000 } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } },
      ['thinking.budget_tokens'],
    ],
    [
      'claude-opus-4-7',
      { reasoning_effort: 'minimal' },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      [],
    ],
    ['claude-opus-4-7', { reasoning_effort: 'none' }, {}, []],
    ['claude-sonnet-5', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }, []],
    [
      'claude-sonnet-5',
      { thinking: { type: 'disabled' }, reasoning_effort: 'max' },
      { thinking: { type: 'disabled' }, output_config: { effort: 'high' } },
      [],
    ],
    ['claude-sonnet-5-5', { reasoning_effort: 'none' }, { thinking: { type: 'between_tools' } }, ['reasoning_effort']],
    ['claude-opus-5-5', { thinking: { type: 'disabled' } }, { output_config: { effort: 'low' } }, ['thinking']],
    ['some-other-model', { reasoning_effort: 'low' }, {}, ['reasoning_effort']],
  ];
  for (const [model, request, wanted, warnings] of cases) {
    const { body, warnings: told } = ask(request, model);
    const { thinking, output_config } = body;
    t.strictSame(
      { ...(thinking ? { thinking } : {}), ...(output_config ? { output_config } : {}) },
      wanted,
      `${model} ${JSON.stringify(request)}`,
    );
    t.strictSame(told, warnings, `${model} ${JSON.stringify(request)}: warnings`);
  }
});

t.test('sampling', async (t) => {
  const cases: readonly [model: string, request: JsonObject, body: JsonObject, warnings: readonly string[]][] = [
    ['claude-sonnet-4-5', { temperature: 0.3 }, { temperature: 0.3 }, []],
    ['claude-sonnet-4-5', { temperature: 0, top_p: 0.9 }, { temperature: 0 }, ['top_p']],
    ['claude-sonnet-4-5', { temperature: 1, top_p: 0.9 }, { top_p: 0.9 }, []],
    ['claude-sonnet-4-5', { temperature: 1.5 }, { temperature: 1 }, ['temperature']],
    ['claude-sonnet-4-5', { top_k: 5 }, { top_k: 5 }, []],
    [
      'claude-sonnet-4-5',
      { temperature: 0.3, top_p: 0.5, top_k: 5, reasoning_effort: 'low' },
      {},
      ['temperature', 'top_p', 'top_k'],
    ],
    ['claude-sonnet-4-5', { top_p: 0.97, reasoning_effort: 'low' }, { top_p: 0.97 }, []],
    ['claude-opus-4-7', { temperature: 0.3, top_p: 0.5, top_k: 5 }, {}, ['temperature', 'top_p', 'top_k']],
    ['claude-opus-4-7', { temperature: 1, top_p: 1 }, {}, []],
  ];
  for (const [model, request, wanted, warnings] of cases) {
    const { body, warnings: told } = ask(request, model);
    const left = Object.fromEntries(Object.entries(body).filter(([name]) => /^(temperature|top_p|top_k)$/.test(name)));
    t.strictSame(left, wanted, `${model} ${JSON.stringify(request)}`);
    t.strictSame(told, warnings, `${model} ${JSON.stringify(request)}: warnings`);
  }
});

t.test('a conversation of many turns stays valid', async (t) => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
  const messages: JsonObject[] = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Go.' }, image] },
  ];
  for (let turn = 0; turn < 5; turn += 1) {
    const call = prepare({ messages, ...TOOLS, reasoning_effort: 'low' });
    t.doesNotThrow(() => assertRequest(anthropicRequest, call.body), `turn ${turn}`);
    const content = [
      { type: 'thinking', thinking: `Hm ${turn}`, signature: 'c2ln' },
      tool(`toolu_${turn}a`, { place: `${turn}` }),
      tool(`toolu_${turn}b`),
    ];
    const [choice] = listIn(call.answer({ content, stop_reason: 'tool_use' }), 'choices');
    messages.push(objectIn(choice, 'message') ?? {});
    for (const each of ['a', 'b'])
      messages.push({
        role: 'tool',
        tool_call_id: `toolu_${turn}${each}`,
        content: [{ type: 'text', text: 'A tree.' }, image],
      });
    const again = listIn(prepare({ messages, ...TOOLS, reasoning_effort: 'low' }).body, 'messages');
    t.strictSame(objectIn({ turn: again.at(-2) }, 'turn')?.['content'], content, `turn ${turn}`);
  }
});

t.test('strange answers and requests do not throw anything but refusals', async () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  const body = fc.dictionary(fc.constantFrom('content', 'usage', 'stop_reason', 'model', 'stop_sequence'), value);
  fc.assert(
    fc.property(body, (answer) => isObject(ask({}).answer(answer as JsonObject)['usage'])),
    { numRuns: 300 },
  );
  const names = [
    'messages',
    'tools',
    'tool_choice',
    'response_format',
    'thinking',
    'reasoning_effort',
    'stop',
    'max_tokens',
    'functions',
    'user',
  ];
  const message = fc.dictionary(
    fc.constantFrom('role', 'content', 'tool_calls', 'thinking_blocks', 'function_call'),
    fc.oneof(value, fc.constantFrom('user', 'assistant', 'tool')),
  );
  const request = fc.dictionary(fc.constantFrom(...names), fc.oneof(value, fc.array(message)));
  fc.assert(
    fc.property(request, fc.array(message), (more, messages) => {
      try {
        return isObject(prepare({ messages, ...(more as JsonObject) }).body);
      } catch (error) {
        return error instanceof GatewayError && error.code === 'unsupported_parameter';
      }
    }),
    { numRuns: 1000 },
  );
});
