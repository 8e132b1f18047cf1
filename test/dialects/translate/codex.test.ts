import t from 'tap';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { type JsonObject, listIn, stringIn } from '../../../src/dialects/json-value.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import { findTranslation } from '../../../src/dialects/translate/registry.js';
import type { PreparedCall } from '../../../src/dialects/translate/translation.js';
import { anthropicRequest } from '../../schemas/anthropic-request.js';
import { bedrockConverseRequest } from '../../schemas/bedrock-request.js';
import { geminiRequest } from '../../schemas/gemini-request.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { checkResponseEvents, lastResponse, type ResponseEvent } from '../response-grammar.js';
import { codexRequest, FIRST_TURNS, outputsOf, PATCH, SIGNATURE } from './codex-requests.js';
import { contextFor } from './responses-goldens.js';

interface Way {
  readonly wire: Wire;
  readonly model: string;
  /** Throws when the provider would refuse the request. */
  readonly check: (body: JsonObject) => void;
  /** The turn of the model in the second request, as the provider must get it back. */
  readonly turn: unknown;
  /** The outputs behind it. */
  readonly outputs: unknown;
}

const LIST = { cmd: 'ls' };
const [LISTED, PATCHED] = outputsOf(['', '']).map(({ output }) => output);

const WAYS: readonly Way[] = [
  {
    wire: 'openai-chat',
    model: 'deepseek-reasoner',
    check: (body) => assertValid('CreateChatCompletionRequest', body),
    turn: {
      role: 'assistant',
      tool_calls: [
        { id: 'call_list', function: { name: 'exec_command', arguments: JSON.stringify(LIST) } },
        { id: 'call_patch', function: { name: 'apply_patch', arguments: JSON.stringify({ input: PATCH }) } },
      ],
    },
    outputs: { role: 'tool', tool_call_id: 'call_list', content: LISTED },
  },
  {
    wire: 'anthropic-messages',
    model: 'claude-sonnet-4-5',
    check: (body) => assertRequest(anthropicRequest, body),
    turn: {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Look first.', signature: SIGNATURE },
        { type: 'tool_use', id: 'call_list', name: 'exec_command', input: LIST },
        { type: 'tool_use', id: 'call_patch', name: 'apply_patch', input: { input: PATCH } },
      ],
    },
    outputs: {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'call_list', content: LISTED },
        { type: 'tool_result', tool_use_id: 'call_patch', content: PATCHED },
      ],
    },
  },
  {
    wire: 'gemini-generate',
    model: 'gemini-3-pro',
    check: (body) => assertRequest(geminiRequest, body),
    turn: {
      role: 'model',
      parts: [
        { text: 'Look first.', thought: true },
        { functionCall: { name: 'exec_command', args: LIST }, thoughtSignature: SIGNATURE },
        { functionCall: { name: 'apply_patch', args: { input: PATCH } } },
      ],
    },
    outputs: {
      role: 'user',
      parts: [{ functionResponse: { name: 'exec_command' } }, { functionResponse: { name: 'apply_patch' } }],
    },
  },
  {
    wire: 'bedrock-converse',
    model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    check: (body) => assertRequest(bedrockConverseRequest, body),
    turn: {
      role: 'assistant',
      content: [
        { reasoningContent: { reasoningText: { text: 'Look first.', signature: SIGNATURE } } },
        { toolUse: { toolUseId: 'call_list', name: 'exec_command', input: LIST } },
        { toolUse: { toolUseId: 'call_patch', name: 'apply_patch', input: { input: PATCH } } },
      ],
    },
    outputs: {
      role: 'user',
      content: [{ toolResult: { toolUseId: 'call_list' } }, { toolResult: { toolUseId: 'call_patch' } }],
    },
  },
];

function prepare({ wire, model }: Way, turns: readonly unknown[], losses = new Losses()): PreparedCall {
  const translation = findTranslation('openai-responses', wire);
  if (translation === null) throw new Error(`There is no way from Responses to ${wire}.`);
  return translation.prepare(codexRequest(turns), contextFor({ model, stream: true, losses }));
}

function played(call: PreparedCall, wire: Wire): readonly ResponseEvent[] {
  const written: ResponseEvent[] = [];
  const out = { event: (type: string, data: JsonObject) => void written.push({ type, data }), done: () => {} };
  const translator = call.stream();
  for (const [type, data] of FIRST_TURNS[wire] ?? []) translator.event(type, data, out);
  if (wire === 'openai-chat') translator.done(out);
  if (!translator.end(out)) throw new Error('the stream was not whole');
  return written;
}

for (const way of WAYS) {
  t.test(`Codex over two turns at ${way.wire}`, async (t) => {
    const losses = new Losses();
    const first = prepare(way, [], losses);
    t.doesNotThrow(() => way.check(first.body), 'the provider takes the first request');
    for (const said of ['workspace-write', 'Use tabs.', 'environment_context', 'Greet in main.py.'])
      t.ok(JSON.stringify(first.body).includes(said), said);
    const named = ['prompt_cache_key', 'text.verbosity', 'tools[].format', 'tools[].web_search'];
    t.same(losses.dropped.filter((name) => named.includes(name)).sort(), named, 'what is left out is named');

    const events = played(first, way.wire);
    t.doesNotThrow(() => checkResponseEvents(events), 'events in order');
    for (const { data } of events) assertValid('ResponseStreamEvent', data);
    const response = lastResponse(events);
    t.equal(response['status'], 'completed');
    const output = listIn(response, 'output');
    t.match(output[0], { type: 'reasoning', summary: [{ text: 'Look first.' }], encrypted_content: /^tg1\./ });
    const calls = output.filter((item) => stringIn(item, 'type') !== 'reasoning');
    t.match(calls, [
      { type: 'function_call', name: 'exec_command' },
      { type: 'custom_tool_call', name: 'apply_patch', input: PATCH },
    ]);
    const ids = calls.map((item) => stringIn(item, 'call_id') ?? '');
    if (way.wire === 'gemini-generate') t.equal(new Set(ids).size, 2, 'ids are made where Google may give none');
    else t.same(ids, ['call_list', 'call_patch'], 'ids of the provider');
    t.same(JSON.parse(stringIn(calls[0], 'arguments') ?? ''), LIST);
    t.match(response['usage'], { input_tokens: 900, output_tokens: 60, total_tokens: 960 });

    const second = prepare(way, [...output, ...outputsOf(ids)]);
    t.doesNotThrow(() => way.check(second.body), 'the provider takes the second request');
    const messages = listIn(second.body, way.wire === 'gemini-generate' ? 'contents' : 'messages');
    const at = messages.findIndex((message) => /^(assistant|model)$/.test(stringIn(message, 'role') ?? ''));
    t.match(messages[at], way.turn, 'ids, arguments and signatures as they were');
    t.match(messages[at + 1], way.outputs, 'the outputs right behind them');
  });
}

t.test('Codex with a picture and an aborted call', async (t) => {
  const turns = [
    { type: 'function_call', name: 'view_image', arguments: '{"path":"a.png"}', call_id: 'call_view' },
    {
      type: 'function_call_output',
      call_id: 'call_view',
      output: [{ type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' }],
    },
    { type: 'function_call', name: 'exec_command', arguments: '{"cmd":"sleep 9"}', call_id: 'call_sleep' },
    { type: 'function_call_output', call_id: 'call_sleep', output: 'aborted by user after 2.0s' },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: '<turn_aborted>…</turn_aborted>' }] },
  ];
  for (const way of WAYS) {
    const { body } = prepare(way, turns);
    t.doesNotThrow(() => way.check(body), way.wire);
    t.match(JSON.stringify(body), /iVBORw0KGgo=/, `${way.wire}: the picture is there`);
  }
});
