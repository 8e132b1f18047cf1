import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { GatewayError } from '../../../src/dialects/error.js';
import { type JsonObject, listIn, objectIn } from '../../../src/dialects/json-value.js';
import type { TranslationContext } from '../../../src/dialects/translate/translation.js';
import { bedrockConverseRequest } from '../../schemas/bedrock-request.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { ask, type ConverseEvent, NOVA, prepare, SONNET, streamed } from './converse-calls.js';

/** What goes in by hand, what comes out as the code says; `UPDATE_GOLDEN=1` writes the results anew. */
interface Golden {
  readonly model: string;
  readonly context?: Partial<TranslationContext>;
  readonly request: JsonObject;
  readonly answer?: JsonObject;
  readonly events?: readonly ConverseEvent[];
  readonly expected?: JsonObject;
  readonly warnings?: readonly string[];
  readonly read?: JsonObject;
  readonly streamed?: readonly unknown[];
}

const FOLDER = 'test/golden/translate/chat-to-bedrock';

function run({ model, context, request, answer, events }: Golden): Golden {
  const given = { model, ...(context && { context }), request, ...(answer && { answer }), ...(events && { events }) };
  const call = prepare(request, model, context);
  return {
    ...given,
    expected: call.body,
    warnings: call.warnings,
    ...(answer && { read: call.answer(answer) }),
    ...(events && { streamed: streamed(call, events).chunks }),
  };
}

t.test('goldens', async (t) => {
  const names = readdirSync(FOLDER);
  t.ok(names.length >= 26);
  for (const name of names) {
    const path = `${FOLDER}/${name}`;
    const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
    const result = JSON.parse(JSON.stringify(run(golden))) as Golden;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
    else t.strictSame(result, golden, name);
    t.doesNotThrow(() => assertRequest(bedrockConverseRequest, result.expected), `${name}: Bedrock takes the request`);
  }
});

function refused(t: Test, run: () => unknown, param: string, name: string): void {
  try {
    run();
    t.fail(`${name}: not refused`);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    t.strictSame([error.code, error.param], ['unsupported_parameter', param], name);
  }
}

t.test('what Bedrock cannot express is refused', async (t) => {
  const user = (part: JsonObject) => ({ messages: [{ role: 'user', content: [part] }] });
  const call = (asked: JsonObject) => ({ messages: [{ role: 'assistant', tool_calls: [{ id: 'a', ...asked }] }] });
  const cases: readonly (readonly [name: string, param: string, request: JsonObject, model?: string])[] = [
    [
      'an image by URL',
      'messages[].content[].image_url',
      user({ type: 'image_url', image_url: { url: 'https://x/a.png' } }),
    ],
    [
      'a bitmap',
      'messages[].content[].image_url',
      user({ type: 'image_url', image_url: { url: 'data:image/bmp;base64,QQ==' } }),
    ],
    [
      'an image that is no base64',
      'messages[].content[].image_url',
      user({ type: 'image_url', image_url: { url: 'data:image/png,abc' } }),
    ],
    ['an uploaded file', 'messages[].content[].file', user({ type: 'file', file: { file_id: 'file-1' } })],
    ['a file by URL', 'messages[].content[].file', user({ type: 'file', file: { file_url: 'https://x/a.pdf' } })],
    ['a program', 'messages[].content[].file', user({ type: 'file', file: { file_data: 'QQ==', filename: 'a.exe' } })],
    [
      'a document by URL',
      'messages[].content[].document',
      user({ type: 'document', source: { type: 'url', url: 'https://x' } }),
    ],
    [
      'audio without data',
      'messages[].content[].input_audio',
      user({ type: 'input_audio', input_audio: { format: 'wav' } }),
    ],
    ['an unknown part', 'messages[].content', user({ type: 'hologram' })],
    ['an unknown role', 'messages[].role', { messages: [{ role: 'function', name: 'f', content: 'x' }] }],
    [
      'an image as instruction',
      'messages[].content',
      {
        messages: [
          { role: 'system', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,QQ==' } }] },
        ],
      },
    ],
    [
      'arguments that are a list',
      'messages[].tool_calls[].function.arguments',
      call({ function: { name: 'f', arguments: '[1]' } }),
    ],
    [
      'arguments that are cut',
      'messages[].tool_calls[].function.arguments',
      call({ function: { name: 'f', arguments: '{"a":' } }),
    ],
    ['a custom call', 'messages[].tool_calls', call({ custom: { name: 'f', input: 'x' } })],
    ['a custom tool', 'tools', { tools: [{ type: 'custom', custom: { name: 'f' } }] }],
    [
      'a choice of no tool',
      'tool_choice',
      {
        tools: [{ type: 'function', function: { name: 'f' } }],
        tool_choice: { type: 'function', function: { name: 'g' } },
      },
    ],
    [
      'a choice nobody knows',
      'tool_choice',
      { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'maybe' },
    ],
    [
      'a forced tool of a model that refuses',
      'tool_choice',
      { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'required' },
      'us.anthropic.claude-opus-5-5-v1:0',
    ],
    ['several answers', 'n', { n: 2 }],
    ['speech', 'modalities', { modalities: ['text', 'audio'] }],
    ['functions of old', 'functions', { functions: [{ name: 'f' }] }],
    ['search', 'web_search_options', { web_search_options: {} }],
    ['a format nobody knows', 'response_format', { response_format: { type: 'grammar' } }],
  ];
  for (const [name, param, request, model] of cases) refused(t, () => ask(request, model), param, name);
});

t.test('members that say nothing are no loss', async (t) => {
  const silent = {
    model: 'x',
    stream: true,
    stream_options: { include_usage: true },
    n: 1,
    logprobs: false,
    top_logprobs: 0,
    store: false,
    frequency_penalty: 0,
    presence_penalty: 0,
    logit_bias: {},
    modalities: ['text'],
    functions: [],
    parallel_tool_calls: true,
    tools: [],
    tool_choice: 'auto',
    response_format: { type: 'text' },
    service_tier: 'auto',
    metadata: {},
    user: null,
    seed: null,
    stop: null,
    max_tokens: null,
    temperature: null,
  };
  const { body, warnings } = ask(silent);
  t.strictSame(warnings, []);
  t.strictSame(body, { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] });
});

t.test('every loss has a name', async (t) => {
  const cases: readonly (readonly [field: string, request: JsonObject, model?: string])[] = [
    ['logprobs', { logprobs: true }],
    ['logit_bias', { logit_bias: { 5: 1 } }],
    ['seed', { seed: 0 }],
    ['store', { store: true }],
    ['constructor', JSON.parse('{"constructor":1}') as JsonObject],
    ['service_tier', { service_tier: 'scale' }],
    [
      'parallel_tool_calls',
      { tools: [{ type: 'function', function: { name: 'f' } }], parallel_tool_calls: false },
      NOVA,
    ],
    ['tools[].function.strict', { tools: [{ type: 'function', function: { name: 'f', strict: true } }] }, NOVA],
    [
      'cache_control',
      { messages: [{ role: 'user', content: 'a', cache_control: { type: 'ephemeral' } }] },
      'meta.llama3-8b-instruct-v1:0',
    ],
    ['messages[].extra_content', { messages: [{ role: 'assistant', content: 'a', extra_content: { google: {} } }] }],
    [
      'messages[].thinking_blocks',
      { messages: [{ role: 'assistant', content: 'a', thinking_blocks: [{ type: 'thinking', thinking: 'x' }] }] },
    ],
    ['reasoning_effort', { reasoning_effort: 'low' }, NOVA],
    ['thinking', { thinking: { type: 'adaptive' } }, 'anthropic.claude-3-haiku-20240307-v1:0'],
    [
      'thinking.budget_tokens',
      { thinking: { type: 'enabled', budget_tokens: 2000 } },
      'us.anthropic.claude-opus-4-7-v1:0',
    ],
    ['reasoning_effort', { reasoning_effort: 'low', max_tokens: 1000 }],
    ['temperature', { temperature: 1.2 }],
    ['top_p', { temperature: 0.5, top_p: 0.5 }],
    ['top_k', { top_k: 3 }, 'openai.gpt-oss-20b-1:0'],
    ['anthropic_beta', { anthropic_beta: ['context-1m-2025-08-07'] }, NOVA],
  ];
  for (const [field, request, model] of cases) t.strictSame(ask(request, model).warnings, [field], field);
});

function bodyOf(more: JsonObject, model?: string): JsonObject {
  return ask(more, model).body;
}

function configOf(more: JsonObject, model?: string): JsonObject | null {
  return objectIn(bodyOf(more, model), 'inferenceConfig');
}

t.test('trap 18: stream_options never reach Bedrock', async (t) => {
  t.notMatch(JSON.stringify(bodyOf({ stream: true, stream_options: { include_usage: true } })), 'stream');
});

t.test('trap 26: results of parallel calls stand in one turn, first, whatever comes between', async (t) => {
  const { body } = prepare({
    tools: [{ type: 'function', function: { name: 'f' } }],
    messages: [
      { role: 'user', content: 'Go' },
      { role: 'assistant', tool_calls: ['a', 'b'].map((id) => ({ id, function: { name: 'f', arguments: '' } })) },
      { role: 'tool', tool_call_id: 'b', content: '2' },
      { role: 'user', content: 'Wait' },
      { role: 'tool', tool_call_id: 'a', content: '1' },
    ],
  });
  assertRequest(bedrockConverseRequest, body);
  const [, , last] = listIn(body, 'messages');
  t.strictSame(listIn(last, 'content'), [
    { toolResult: { toolUseId: 'b', content: [{ text: '2' }] } },
    { toolResult: { toolUseId: 'a', content: [{ text: '1' }] } },
    { text: 'Wait' },
  ]);
});

t.test('trap 29: the signature of a thought survives the way through chat and back', async (t) => {
  const content = [
    { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2lnbmVk' } } },
    { reasoningContent: { redactedContent: Buffer.from('EtkE+/hidden=').toString('base64') } },
    { toolUse: { toolUseId: 't1', name: 'f', input: { a: [1, { b: null }] } } },
  ];
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const asked = { reasoning_effort: 'medium', max_tokens: 9000, tools };
  const call = ask(asked);
  const whole = call.answer({ output: { message: { role: 'assistant', content } }, stopReason: 'tool_use' });
  const message = objectIn(listIn(whole, 'choices')[0], 'message');
  const next = prepare({
    ...asked,
    messages: [{ role: 'user', content: 'Hi' }, message, { role: 'tool', tool_call_id: 't1', content: 'ok' }],
  });
  t.strictSame(listIn(listIn(next.body, 'messages')[1], 'content'), content);
  t.match(next.body, { additionalModelRequestFields: { thinking: { type: 'enabled' } } }, 'so thinking can go on');
  t.strictSame(next.warnings, []);
});

t.test('trap 31: only betas that Bedrock knows are named', async (t) => {
  const fields = objectIn(
    bodyOf({ anthropic_beta: 'claude-code-20250219, effort-2025-11-24, effort-2025-11-24' }),
    'additionalModelRequestFields',
  );
  t.strictSame(fields, { anthropic_beta: ['effort-2025-11-24'] });
});

t.test('trap 33: both names bound the output, and the gateway’s cap bounds both', async (t) => {
  t.strictSame(configOf({ max_tokens: 10 }), { maxTokens: 10 });
  t.strictSame(configOf({ max_completion_tokens: 20, max_tokens: 10 }), { maxTokens: 20 });
  t.strictSame(objectIn(ask({ max_tokens: 10 }, NOVA, { outputCap: 5 }).body, 'inferenceConfig'), { maxTokens: 5 });
  t.strictSame(objectIn(ask({}, NOVA, { outputCap: 5 }).body, 'inferenceConfig'), { maxTokens: 5 });
  t.equal(configOf({}), null);
});

t.test('sampling by model', async (t) => {
  t.strictSame(configOf({ temperature: 1, top_p: 0.3 }), { topP: 0.3 }, 'Claude takes one: the default gives way');
  t.strictSame(configOf({ temperature: 0.3, top_p: 1 }), { temperature: 0.3 });
  t.strictSame(configOf({ temperature: 0.3, top_p: 0.5 }, NOVA), { temperature: 0.3, topP: 0.5 }, 'others take both');
  t.strictSame(configOf({ temperature: 0.3, top_p: 0.5 }, 'anthropic.claude-3-haiku-20240307-v1:0'), {
    temperature: 0.3,
    topP: 0.5,
  });
  t.equal(configOf({ temperature: 1, top_p: 1 }, 'us.anthropic.claude-opus-4-8-v1:0'), null, 'newer ones take none');
});

t.test('which models think how', async (t) => {
  const fields = (more: JsonObject, model?: string) => objectIn(bodyOf(more, model), 'additionalModelRequestFields');
  const budget = (tokens: number) => ({ thinking: { type: 'enabled', budget_tokens: tokens } });
  t.strictSame(fields({ reasoning_effort: 'xhigh' }), budget(16_384));
  t.strictSame(fields({ thinking: { type: 'adaptive' } }), budget(4096), 'Claude 4.5 only knows budgets');
  t.strictSame(fields({ thinking: { type: 'enabled', budget_tokens: 100 } }), budget(1024), 'the least there is');
  t.strictSame(
    fields({ thinking: { type: 'enabled', budget_tokens: 5000 } }, 'us.anthropic.claude-opus-4-6-v1'),
    budget(5000),
  );
  t.strictSame(fields({ reasoning_effort: 'high' }, 'us.anthropic.claude-opus-4-6-v1'), {
    thinking: { type: 'adaptive' },
    output_config: { effort: 'high' },
  });
  t.equal(fields({ reasoning_effort: 'none' }), null);
  t.equal(fields({ thinking: { type: 'disabled' }, reasoning_effort: 'high' }), null, 'thinking says more');
  t.strictSame(fields({ thinking: { type: 'enabled', budget_tokens: 3000 } }, 'us.amazon.nova-2-lite-v1:0'), {
    reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' },
  });
  const forced = { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'required' };
  t.strictSame(
    fields(forced, 'us.anthropic.claude-sonnet-5-v1:0'),
    { thinking: { type: 'disabled' } },
    'a thinking model must stop to be forced',
  );
});

t.test('answers of status 200 with little in them', async (t) => {
  for (const body of [{}, { output: null }, { output: { message: { content: [null, 'x', {}] } } }]) {
    const answer = ask({}).answer(body);
    t.match(answer, {
      choices: [{ message: { role: 'assistant', content: '' }, finish_reason: 'stop' }],
      model: SONNET,
    });
  }
});

t.test('five turns with a tool keep ids, arguments, signatures and images', async (t) => {
  const tools = [{ type: 'function', function: { name: 'look.up', parameters: { type: 'object' } } }];
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
  const messages: unknown[] = [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] }];
  for (let turn = 1; turn <= 5; turn += 1) {
    const call = prepare({ messages, tools, reasoning_effort: 'medium', max_tokens: 9000 });
    t.match(call.body, { additionalModelRequestFields: { thinking: { type: 'enabled' } } }, `turn ${turn}: thinks on`);
    const id = `tooluse_${turn}`;
    const whole = call.answer({
      output: {
        message: {
          content: [
            { reasoningContent: { reasoningText: { text: `Thought ${turn}`, signature: `sig${turn}` } } },
            { toolUse: { toolUseId: id, name: 'look_up', input: { turn, nested: { list: [turn] } } } },
          ],
        },
      },
      stopReason: 'tool_use',
    });
    messages.push(objectIn(listIn(whole, 'choices')[0], 'message'), {
      role: 'tool',
      tool_call_id: id,
      content: [{ type: 'text', text: `Result ${turn}` }, image],
    });
  }
  const { body, warnings } = prepare({ messages, tools, reasoning_effort: 'medium', max_tokens: 9000 });
  t.strictSame(warnings, []);
  const turns = listIn(body, 'messages');
  t.equal(turns.length, 11);
  for (let turn = 1; turn <= 5; turn += 1) {
    t.strictSame(listIn(turns[turn * 2 - 1], 'content'), [
      { reasoningContent: { reasoningText: { text: `Thought ${turn}`, signature: `sig${turn}` } } },
      { toolUse: { toolUseId: `tooluse_${turn}`, name: 'look_up', input: { turn, nested: { list: [turn] } } } },
    ]);
    t.match(listIn(turns[turn * 2], 'content'), [
      {
        toolResult: {
          toolUseId: `tooluse_${turn}`,
          content: [{ text: `Result ${turn}` }, { image: { format: 'png' } }],
        },
      },
    ]);
  }
});
