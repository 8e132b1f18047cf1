import t from 'tap';
import { GatewayError } from '../../../src/dialects/error.js';
import { type JsonObject, listIn, objectIn, stringIn } from '../../../src/dialects/json-value.js';
import { openCarried, sealCarried } from '../../../src/dialects/translate/responses-to-chat/carried.js';
import { responsesToChat } from '../../../src/dialects/translate/responses-to-chat/pair.js';
import type { TranslationContext } from '../../../src/dialects/translate/translation.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { checkResponseEvents, lastResponse } from '../response-grammar.js';
import { contextFor, goldens, streamed } from './responses-goldens.js';

const WEATHER = { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} }, strict: false };

function prepare(request: JsonObject, changes: Partial<TranslationContext> = {}) {
  return responsesToChat.prepare({ model: 'smart', input: 'Hi', ...request }, contextFor(changes));
}

function chunk(delta: JsonObject, finish: string | null = null): JsonObject {
  return { id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] };
}

function callChunk(index: number | null, text: string, head: JsonObject = {}): JsonObject {
  const { name, ...rest } = head;
  const place = index === null ? {} : { index };
  return chunk({ tool_calls: [{ ...place, ...rest, function: { ...(name ? { name } : {}), arguments: text } }] });
}

/** What the client has in the end of a stream whose events were checked. */
function streamOf(
  events: readonly JsonObject[],
  request: JsonObject = {},
  ends: 'done' | 'closed' = 'done',
): JsonObject {
  const written = streamed(prepare({ tools: [WEATHER], ...request }, { stream: true }), events, ends);
  checkResponseEvents(written);
  for (const { data } of written) assertValid('ResponseStreamEvent', data);
  return lastResponse(written);
}

function calls(response: JsonObject): readonly (readonly [unknown, unknown])[] {
  const items = listIn(response, 'output').filter((item) => stringIn(item, 'type') === 'function_call');
  return items.map((item) => [stringIn(item, 'name'), stringIn(item, 'arguments')]);
}

t.test('goldens', async (t) => {
  for (const [name, wanted, found] of goldens()) {
    t.same(found, wanted, name);
    const own = found.context?.extended !== true && found.context?.echoesReasoning !== true;
    if (own && !('error' in (found.expected ?? {})))
      t.doesNotThrow(() => assertValid('CreateChatCompletionRequest', found.expected), `${name}: the request`);
    if (found.read !== undefined) t.doesNotThrow(() => assertValid('Response', found.read), `${name}: the answer`);
    if (found.written === undefined) continue;
    t.doesNotThrow(() => checkResponseEvents(found.written ?? []), `${name}: the events`);
    for (const { data } of found.written) assertValid('ResponseStreamEvent', data);
  }
});

t.test('a stream says the same as a whole answer', async (t) => {
  const message = {
    role: 'assistant',
    reasoning_content: 'Hm.',
    content: 'Soon.',
    tool_calls: [
      { index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
    ],
  };
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
  const whole = prepare({ tools: [WEATHER] }).answer({
    model: 'm',
    choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
    usage,
  });
  t.same(streamOf([chunk(message), { ...chunk({}, 'tool_calls'), usage }]), whole);
});

const REFUSED: readonly (readonly [request: JsonObject, param: string])[] = [
  [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
  [{ conversation: 'conv_1' }, 'conversation'],
  [{ prompt: { id: 'pmpt_1' } }, 'prompt'],
  [{ background: true }, 'background'],
  [{ input: [] }, 'input'],
  [{ input: 3 }, 'input'],
  [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[].type'],
  [{ input: [{ type: 'compaction', encrypted_content: 'x' }] }, 'input[].type'],
  [{ input: [{ type: 'local_shell_call', call_id: 'a', action: {} }] }, 'input[].type'],
  [{ input: [{ type: 'mcp_call', id: 'a' }] }, 'input[].type'],
  [{ input: [{ role: 'critic', content: 'x' }] }, 'input[].role'],
  [{ input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file_1' }] }] }, 'input[].content[].file_id'],
  [{ input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file_1' }] }] }, 'input[].content[].file_id'],
  [{ input: [{ role: 'user', content: [{ type: 'hologram' }] }] }, 'input[].content[].type'],
  [{ input: [{ type: 'function_call_output', call_id: 'a', output: 'x' }] }, 'input[].call_id'],
  [{ input: [{ type: 'function_call', call_id: 'a', name: 'b', arguments: '{}' }] }, 'input[].call_id'],
  [{ text: { format: { type: 'grammar' } } }, 'text.format'],
  [{ tool_choice: 'required' }, 'tool_choice'],
  [{ tools: [WEATHER], tool_choice: { type: 'mcp', server_label: 's' } }, 'tool_choice.type'],
  [
    { tools: [WEATHER], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp' }] } },
    'tool_choice.tools[].type',
  ],
  ...['web_search', 'web_search_preview', 'file_search', 'computer_use_preview', 'computer', 'mcp'].map(hosted),
  ...['image_generation', 'code_interpreter', 'local_shell', 'shell', 'apply_patch'].map(hosted),
];

function hosted(type: string): readonly [JsonObject, string] {
  return [{ tools: [WEATHER, { type }] }, 'tools[].type'];
}

t.test('what cannot be said to a chat provider is refused', async (t) => {
  for (const [request, param] of REFUSED) {
    try {
      prepare(request);
      t.fail(`refused: ${JSON.stringify(request)}`);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      t.same([error.code, error.param], ['unsupported_parameter', param], JSON.stringify(request));
    }
  }
});

t.test('the end of a stream', async (t) => {
  const text = chunk({ content: 'Hi' });
  t.equal(streamOf([text], {}, 'closed')['status'], 'failed', 'no finish and no [DONE]: it broke off');
  t.equal(streamOf([text, chunk({}, 'stop')], {}, 'closed')['status'], 'completed', 'a finish is enough');
  t.equal(streamOf([text])['status'], 'completed', '[DONE] is enough');
  t.equal(streamOf([text, chunk({}, 'error')])['status'], 'failed', 'the provider gave up');
  t.match(streamOf([], {}, 'closed'), { status: 'failed', error: { code: 'server_error', message: 'It broke off.' } });
  const translator = prepare({}, { stream: true }).stream();
  const types: string[] = [];
  const out = { event: (type: string) => void types.push(type), done: () => types.push('[DONE]') };
  const error = { message: 'Slow down.', code: 'provider_rate_limited', status: 429 };
  translator.fail(error, out);
  translator.fail(error, out);
  translator.event('', text, out);
  translator.done(out);
  translator.end(out);
  t.same(types, ['response.created', 'response.in_progress', 'response.failed'], 'nothing follows an error');
});

t.test('trap 11: usage that every chunk repeats is not summed', async (t) => {
  const usage = (completion: number) => ({ prompt_tokens: 5, completion_tokens: completion });
  const response = streamOf([
    { ...chunk({ content: 'a' }), usage: usage(1) },
    { ...chunk({ content: 'b' }, 'stop'), usage: usage(2) },
  ]);
  t.match(response['usage'], { input_tokens: 5, output_tokens: 2, total_tokens: 7 });
});

t.test('trap 16: usage is asked for, because every Response states it', async (t) => {
  t.same(prepare({ stream: true }, { stream: true }).body['stream_options'], { include_usage: true });
  t.notOk('stream_options' in prepare({}).body, 'and not where nothing is streamed');
});

t.test('trap 22: a tool without arguments gets an empty object', async (t) => {
  const head = { id: 'call_a', name: 'weather' };
  t.same(calls(streamOf([callChunk(0, '', head), chunk({}, 'tool_calls')])), [['weather', '{}']]);
  const two = [callChunk(0, '', head), callChunk(1, '', { id: 'call_b', name: 'weather' }), chunk({}, 'tool_calls')];
  t.same(calls(streamOf(two)), [
    ['weather', '{}'],
    ['weather', '{}'],
  ]);
});

t.test('trap 23: an empty object ahead of the arguments is left out', async (t) => {
  const events = [
    callChunk(0, '{}', { id: 'call_a', name: 'weather' }),
    callChunk(0, '{"city":'),
    callChunk(0, '"Rome"}'),
  ];
  t.same(calls(streamOf([...events, chunk({}, 'tool_calls')])), [['weather', '{"city":"Rome"}']]);
  t.same(calls(streamOf([...events.slice(0, 1), chunk({}, 'tool_calls')])), [['weather', '{}']]);
});

t.test('trap 24: calls are numbered by their place in the output', async (t) => {
  const events = [chunk({ content: 'Soon.' }), callChunk(3, '{}', { id: 'call_a', name: 'weather' })];
  const response = streamOf([...events, callChunk(5, '{"a":1}', { id: 'call_b', name: 'weather' }), chunk({}, 'stop')]);
  t.same(
    listIn(response, 'output').map((item) => stringIn(item, 'type')),
    ['message', 'function_call', 'function_call'],
  );
});

t.test('trap 25: calls complete the answer although the provider says stop', async (t) => {
  const response = streamOf([callChunk(0, '{"a":1}', { id: 'call_a', name: 'weather' }), chunk({}, 'stop')]);
  t.match(response, { status: 'completed', output: [{ type: 'function_call', status: 'completed' }] });
});

t.test('trap 26: outputs of parallel calls stand together behind their calls', async (t) => {
  const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'weather', arguments: '{}' });
  const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: id });
  const input = [
    { role: 'user', content: 'Hi' },
    call('a'),
    call('b'),
    output('b'),
    { role: 'user', content: 'So?' },
    output('a'),
  ];
  const messages = listIn(prepare({ input }).body, 'messages');
  t.same(
    messages.map((message) => stringIn(message, 'role')),
    ['user', 'assistant', 'tool', 'tool', 'user'],
  );
});

/** The output of an answer, returned as the input of the next turn. */
function nextTurn(message: JsonObject): JsonObject {
  const answer = { model: 'm', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] };
  const output = listIn(prepare({ tools: [WEATHER] }, { extended: true }).answer(answer), 'output');
  const input = [
    { role: 'user', content: 'Hi' },
    ...output,
    { type: 'function_call_output', call_id: 'call_a', output: '' },
  ];
  const { body } = prepare({ input, tools: [WEATHER] }, { extended: true });
  return (listIn(body, 'messages')[1] ?? {}) as JsonObject;
}

const CALL = { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } };

t.test("trap 28: Google's signatures come back in the next turn", async (t) => {
  const extra = { google: { thought_signature: 'c2lnbmF0dXJl' } };
  const message = { role: 'assistant', content: 'Soon.', tool_calls: [{ ...CALL, extra_content: extra }] };
  t.same(nextTurn(message), message);
  t.same(nextTurn({ ...message, extra_content: extra }), { ...message, extra_content: extra });
});

t.test("trap 29: Claude's blocks of thoughts come back in the next turn", async (t) => {
  const blocks = [
    { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
    { type: 'redacted_thinking', data: 'cmVk' },
  ];
  const message = {
    role: 'assistant',
    content: null,
    tool_calls: [CALL],
    reasoning_content: 'Hm.',
    thinking_blocks: blocks,
  };
  t.same(nextTurn(message), message);
  t.same(nextTurn({ ...message, reasoning_content: null }), message, 'a block that comes alone is shown too');
});

t.test('trap 30: thoughts come back to providers that want them', async (t) => {
  const reasoning = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] };
  const input = [{ role: 'user', content: 'Hi' }, reasoning, { role: 'assistant', content: 'Yes.' }];
  const messageOf = (changes: Partial<TranslationContext>) => listIn(prepare({ input }, changes).body, 'messages')[1];
  t.same(messageOf({ echoesReasoning: true }), { role: 'assistant', content: 'Yes.', reasoning_content: 'Hm.' });
  t.same(messageOf({}), { role: 'assistant', content: 'Yes.' });
});

t.test('trap 42: a first chunk without choices', async (t) => {
  const first = { id: '', model: '', object: '', created: 0, choices: [], prompt_filter_results: [] };
  const response = streamOf([
    first,
    chunk({ content: 'Hi' }),
    { id: 'c', choices: [{ index: 0, content_filter_offsets: {} }] },
  ]);
  t.match(response, { model: 'm', output: [{ content: [{ text: 'Hi' }] }] });
});

t.test('what others put into encrypted_content is ignored', async (t) => {
  const nothing = { blocks: [], extra: null, calls: new Map() };
  t.same(openCarried(null), nothing);
  for (const sealed of ['gAAAAAB', 'tg1.', 'tg1.!!!', `tg1.${Buffer.from('[]').toString('base64url')}`, 'tg2.e30'])
    t.same(openCarried(sealed), nothing, sealed);
  const forged = {
    blocks: [{ type: 'thinking', thinking: 3 }, 'x', { type: 'text', text: 'x' }],
    extra: { role: 'system' },
  };
  t.same(openCarried(`tg1.${Buffer.from(JSON.stringify(forged)).toString('base64url')}`), nothing);
  t.same(openCarried(sealCarried(nothing)), nothing);
});

t.test('requests of many thousand pieces', async (t) => {
  const many = 150_000;
  const part = { type: 'output_text', text: 'x', annotations: [] };
  const input = [
    ...Array.from({ length: many }, () => ({ role: 'developer', content: 'x' })),
    { role: 'assistant', content: Array.from({ length: many }, () => part) },
    { role: 'user', content: Array.from({ length: many }, () => ({ type: 'input_text', text: 'x' })) },
  ];
  const messages = listIn(prepare({ input }).body, 'messages');
  t.same(
    messages.map((message) => stringIn(message, 'role')),
    ['system', 'assistant', 'user'],
  );
  const names = ['a', 'a_1'].flatMap((name) => [name, `${name.padEnd(62, '_')}_1`]);
  const tools = names.map((name) => ({
    type: 'namespace',
    name,
    description: '',
    tools: [WEATHER, { ...WEATHER, name: '_1' }],
  }));
  t.equal(
    new Set(listIn(prepare({ tools }).body, 'tools').map((tool) => stringIn(objectIn(tool, 'function'), 'name'))).size,
    8,
  );
});

t.test('names of tools stay within 64 characters and apart', async (t) => {
  const long = 'x'.repeat(60);
  const inner = { ...WEATHER, name: 'weather_of_tomorrow' };
  const tools = [
    { type: 'namespace', name: long, description: '', tools: [WEATHER, inner] },
    { type: 'namespace', name: 'mcp__', description: '', tools: [WEATHER] },
    { ...WEATHER, name: 'mcp__weather' },
  ];
  const { body, answer } = prepare({ tools });
  const names = listIn(body, 'tools').map((tool) => stringIn(objectIn(tool, 'function'), 'name') ?? '');
  t.equal(new Set(names).size, 4);
  t.ok(names.every((name) => name.length <= 64));
  const tool_calls = names.map((name, index) => ({ id: `call_${index}`, function: { name, arguments: '{}' } }));
  const response = answer({ choices: [{ index: 0, message: { tool_calls }, finish_reason: 'tool_calls' }] });
  t.match(response['output'], [
    { name: 'weather', namespace: long },
    { name: 'weather_of_tomorrow', namespace: long },
    { name: 'weather', namespace: 'mcp__' },
    { name: 'mcp__weather' },
  ]);
});
