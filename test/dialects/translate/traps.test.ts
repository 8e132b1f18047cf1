import t from 'tap';
import { outputTokensSeen } from '../../../src/accounting/estimates/output-tokens.js';
import { tokenFamily } from '../../../src/accounting/tokens/families.js';
import { loadO200k } from '../../../src/accounting/tokens/load-o200k.js';
import { createTokenCounter } from '../../../src/accounting/tokens/token-counter.js';
import type { Endpoint, Wire } from '../../../src/dialects/endpoint.js';
import { matchEndpoint } from '../../../src/dialects/endpoints.js';
import { GatewayError } from '../../../src/dialects/error.js';
import { type JsonObject, listIn } from '../../../src/dialects/json-value.js';
import { normaliseUsage } from '../../../src/dialects/openai-usage.js';
import { createResponseReader } from '../../../src/dialects/readers.js';
import { scanRequest } from '../../../src/dialects/request.js';
import type { ResponseFacts } from '../../../src/dialects/response-reader.js';
import { spliceRequest } from '../../../src/dialects/splice.js';
import { readMessage } from '../message-grammar.js';
import { callFor, callsOf, throughPipe } from './messages-calls.js';
import { eventsIn } from './messages-goldens.js';

// Traps of metering and of the wire that belong to no single pair; the others stand beside what they test.

function endpoint(path: string): Endpoint {
  const found = matchEndpoint('POST', path);
  if (found === null) throw new Error(path);
  return found;
}

/** A stream as its reader sees it, cut into pieces of `size` bytes. */
function read(wire: Wire, text: string, size = Number.POSITIVE_INFINITY): Readonly<ResponseFacts> {
  const reader = createResponseReader(wire, { stream: true, contentType: 'text/event-stream' });
  for (const piece of pieces(text, size)) reader.push(piece);
  reader.end();
  return reader.facts;
}

function pieces(text: string, size: number): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const count = Math.ceil(bytes.length / Math.min(size, bytes.length));
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size || 0, (at + 1) * size));
}

const data = (value: JsonObject): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (content: string, more: JsonObject = {}): string =>
  data({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }], ...more });
const FINISH = data({ id: 'c', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const DONE = 'data: [DONE]\n\n';

/** Ten chunks, each with the whole usage so far. */
const CUMULATIVE = `${Array.from({ length: 10 }, (_, at) =>
  delta('a', { usage: { prompt_tokens: 1000, completion_tokens: at + 1, total_tokens: 1001 + at } }),
).join('')}${FINISH}${DONE}`;

t.test('trap 12: usage on every chunk is billed once', async (t) => {
  t.match(read('openai-chat', CUMULATIVE).usage, { input: 1000, output: 10 });
  t.match(read('openai-chat', CUMULATIVE, 7).usage, { input: 1000, output: 10 }, 'in pieces');
});

t.test('trap 13: cumulative chunks are not summed for the client either', async (t) => {
  const { message } = readMessage(eventsIn(throughPipe(pieces(CUMULATIVE, 50))));
  t.match(message['usage'], { input_tokens: 1000, output_tokens: 10 });
});

t.test('trap 14: reasoning outside the completion is added, inside it is not', async (t) => {
  const stated = (total: number) => ({
    prompt_tokens: 100,
    completion_tokens: 20,
    total_tokens: total,
    completion_tokens_details: { reasoning_tokens: 15 },
  });
  t.match(normaliseUsage(stated(135)), { input: 100, output: 20, reasoning: 15 }, 'xAI: 35 tokens were written');
  t.match(normaliseUsage(stated(120)), { input: 100, output: 5, reasoning: 15 }, 'all others: 20');
});

t.test('trap 17: legacy completions are asked for their usage too', async (t) => {
  const body = Buffer.from('{"model":"p/a","prompt":"x","stream":true}');
  const facts = scanRequest(endpoint('/v1/completions'), body, 'application/json');
  if (facts instanceof GatewayError) throw facts;
  const sent = JSON.parse(spliceRequest(body, facts, { model: 'a', includeUsage: true }).toString());
  t.same(sent, { model: 'a', prompt: 'x', stream: true, stream_options: { include_usage: true } });
});

t.test('trap 21: who leaves once a call is complete is billed for it', async (t) => {
  const counter = createTokenCounter({ load: loadO200k, now: () => 0, onProblem: t.threw });
  await counter.prepare();
  const event = (type: string, more: JsonObject): string => `event: ${type}\n${data({ type, ...more })}`;
  const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'shell', arguments: '' };
  const words = '{"command":["bash","-lc","ls -la && cat README.md | head -50"]}';
  const facts = read(
    'openai-responses',
    event('response.created', { response: { id: 'resp_1', status: 'in_progress', usage: null } }) +
      event('response.output_item.added', { output_index: 0, item: call }) +
      event('response.function_call_arguments.delta', { output_index: 0, item_id: 'fc_1', delta: words }) +
      event('response.output_item.done', { output_index: 0, item: { ...call, arguments: words } }),
  );
  t.equal(facts.usage, null, 'the provider has stated nothing yet');
  t.notOk(facts.terminal);
  const tokens = outputTokensSeen(counter, facts, tokenFamily('openai/gpt-5'));
  t.ok(tokens >= 15 && tokens <= 40, `${tokens} tokens`);
});

t.test('trap 35: a CR at the end of one piece and its LF in the next are one line end', async (t) => {
  const text = `${delta('a')}${delta('b')}${FINISH}${DONE}`.replaceAll('\n', '\r\n');
  for (let size = 1; size <= 80; size += 1) {
    const { message } = readMessage(eventsIn(throughPipe(pieces(text, size))));
    t.same(
      listIn(message, 'content').map((block) => (block as JsonObject)['text']),
      ['ab'],
      `in pieces of ${size}`,
    );
  }
});

t.test('trap 36: comments that keep a stream alive are not passed on as data', async (t) => {
  const text = `: OPENROUTER PROCESSING\n\n${delta('a')}: ping\n\n${FINISH}${DONE}`;
  const written = throughPipe(pieces(text, 10)).toString();
  t.notMatch(written, /OPENROUTER|ping - |data: :/);
  t.equal(read('openai-chat', text).error, null);
});

t.test('trap 43: a stream of Messages begins with the estimated input, never with 0', async (t) => {
  const [start] = eventsIn(throughPipe([Buffer.from(`${delta('a')}${FINISH}${DONE}`)]));
  t.match(start, { type: 'message_start', data: { message: { usage: { input_tokens: 7 } } } }, 'as the context says');
});

t.test('trap 44: tools of vLLM are the same, whole and streamed, as in its own Messages endpoint', async (t) => {
  const args = '{"query": "weather in New York"}';
  const called = { id: 'chatcmpl-tool-1', type: 'function', function: { name: 'search', arguments: args } };
  const expected = [
    { type: 'tool_use', id: 'chatcmpl-tool-1', name: 'search', input: { query: 'weather in New York' } },
  ];
  const whole = callFor({ stream: false }).answer({
    choices: [
      { index: 0, message: { role: 'assistant', content: null, tool_calls: [called] }, finish_reason: 'tool_calls' },
    ],
  });
  t.match(whole, { content: expected, stop_reason: 'tool_use' });
  const piece = (call: JsonObject): string =>
    data({ id: 'c', model: 'm', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] } }] });
  const stream = [
    data({ id: 'c', model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }),
    piece({ id: 'chatcmpl-tool-1', type: 'function', function: { name: 'search' } }),
    ...[...args].map((letter) => piece({ function: { arguments: letter } })),
    data({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content: '' }, finish_reason: 'tool_calls' }] }),
    DONE,
  ].join('');
  const { message } = readMessage(eventsIn(throughPipe(pieces(stream, 33))));
  t.match(callsOf(message), expected);
  t.equal(message['stop_reason'], 'tool_use');
});

t.test('trap 45: the model of a form is the target’s, wherever in the form it stands', async (t) => {
  const file = 'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\u0000name="model"\r\n\r\nno';
  const model = 'Content-Disposition: form-data; name="model"\r\n\r\nsmart';
  for (const parts of [
    [file, model],
    [model, file],
  ]) {
    const body = Buffer.from(`${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`, 'latin1');
    const facts = scanRequest(endpoint('/v1/audio/transcriptions'), body, 'multipart/form-data; boundary=b');
    if (facts instanceof GatewayError) throw facts;
    const sent = spliceRequest(body, facts, { model: 'whisper-large-v3', includeUsage: false });
    t.equal(sent.toString('latin1'), body.toString('latin1').replace('smart', 'whisper-large-v3'));
  }
});
