import t from 'tap';
import { estimateCutAnswer } from '../../../src/accounting/estimates/cut-answer.js';
import { outputTokensSeen, statesTooLittle } from '../../../src/accounting/estimates/output-tokens.js';
import { tokenFamily } from '../../../src/accounting/tokens/families.js';
import { loadO200k } from '../../../src/accounting/tokens/load-o200k.js';
import { createTokenCounter } from '../../../src/accounting/tokens/token-counter.js';
import { matchEndpoint } from '../../../src/dialects/endpoints.js';
import { GatewayError } from '../../../src/dialects/error.js';
import { createResponseReader } from '../../../src/dialects/readers.js';
import { scanRequest } from '../../../src/dialects/request.js';
import type { ResponseFacts } from '../../../src/dialects/response-reader.js';
import { chat } from '../../../src/mock/chat.js';
import { behaviourOf } from '../../../src/mock/models.js';
import { NO_RECORDINGS, openaiRecordings } from '../../dialects/recordings.js';

const counter = createTokenCounter({ load: loadO200k, now: () => 0, onProblem: t.threw });
await counter.prepare();

function read(wire: 'openai-chat' | 'openai-responses' | 'openai-completions', text: string | Buffer): ResponseFacts {
  const reader = createResponseReader(wire, { stream: true, contentType: 'text/event-stream' });
  reader.push(Buffer.from(text));
  return reader.facts;
}

const delta = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

t.test('the mock, cut after every event: exact', async (t) => {
  const endpoint = matchEndpoint('POST', '/v1/chat/completions');
  if (endpoint === null) throw new Error('no endpoint');
  const tools = [
    { type: 'function', function: { name: 'get_weather', parameters: { properties: { city: { type: 'string' } } } } },
  ];
  for (const [model, more] of [
    ['chat', {}],
    ['chat', { n: 3 }],
    ['echo', {}],
    ['chunks-300', {}],
  ] as const) {
    const value = {
      model: `mock/${model}`,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Grüße aus 東京 🎉, and internationalization too' }],
      ...more,
    };
    const behaviour = behaviourOf(model);
    if (behaviour === null) throw new Error(model);
    const answer = chat({ body: value, model, behaviour, id: 'a', created: 1, file: null, header: () => '' });
    if (answer.kind !== 'stream') throw new Error(answer.kind);
    const body = Buffer.from(JSON.stringify(value));
    const facts = scanRequest(endpoint, body, 'application/json');
    if (facts instanceof GatewayError) throw facts;
    const events = [...answer.events].map(String);
    const usage = JSON.parse(events.at(-2)?.slice(6) ?? '') as {
      usage: { prompt_tokens: number; completion_tokens: number };
    };
    let sent = '';
    let tokens = 0;
    for (const event of events.slice(0, -2)) {
      sent += event;
      if (/"content":"[^"]/.test(event)) tokens += 1;
      const estimate = estimateCutAnswer(counter, {
        request: { body, facts },
        response: read('openai-chat', sent),
        target: `mock/${model}`,
      });
      if (estimate.usage.output !== tokens) t.fail(`${model}: ${estimate.usage.output} of ${tokens}`);
      if (estimate.usage.input !== usage.usage.prompt_tokens) t.fail(`${model}: input ${estimate.usage.input}`);
    }
    t.equal(tokens, usage.usage.completion_tokens, model);
  }
  // Calls come in pieces that are no tokens.
  const behaviour = behaviourOf('chat');
  if (behaviour === null) throw new Error('chat');
  const asked = {
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'weather' }],
    tools,
  };
  const answer = chat({ body: asked, model: 'chat', behaviour, id: 'a', created: 1, file: null, header: () => '' });
  const events = answer.kind === 'stream' ? [...answer.events].map(String) : [];
  const facts = read('openai-chat', events.slice(0, -2).join(''));
  const whole = read('openai-chat', events.join(''));
  const found = outputTokensSeen(counter, facts, tokenFamily('mock/chat'));
  const truth = whole.usage?.output ?? 0;
  t.ok(found >= truth && found <= truth + 1, `${found} of ${truth}`);
});

t.test('other streams', async (t) => {
  const openai = tokenFamily('openai/gpt-5');
  const words = 'The quick brown fox jumps over the lazy dog .'.split(/(?= )/);
  const claude = tokenFamily('anthropic/claude-opus-5');
  t.equal(outputTokensSeen(counter, read('openai-chat', words.map(delta).join('')), openai), 10, 'a token an event');
  t.equal(outputTokensSeen(counter, read('openai-chat', delta(words.join(''))), openai), 10, 'all in one');
  t.equal(outputTokensSeen(counter, read('openai-chat', delta(words.join(''))), claude), 15, 'more tokens');
  const letters = [...words.join('')].map(delta).join('');
  t.equal(outputTokensSeen(counter, read('openai-chat', letters), openai), 10, 'a letter an event');
  t.equal(outputTokensSeen(counter, read('openai-chat', ''), openai), 0);
  const long = delta('word '.repeat(2_000)).repeat(10);
  const found = outputTokensSeen(counter, read('openai-chat', long), openai);
  t.ok(Math.abs(found / 20_000 - 1) < 0.02, `${found}: the beginning stands for the rest`);
  const body = createResponseReader('openai-chat', { stream: false, contentType: 'application/json' });
  body.push(Buffer.from(`{"choices":[{"message":{"content":"${'x'.repeat(390)}`));
  body.end();
  t.ok(outputTokensSeen(counter, body.facts, openai) >= 97, 'a JSON answer that was cut');
});

t.test('a provider that states too little', async (t) => {
  const family = tokenFamily('openai/gpt-5');
  const usage = (completion_tokens: number) =>
    `data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":${completion_tokens}}}\n\n`;
  const text = delta('The quick brown fox jumps over the lazy dog. '.repeat(10));
  const states = (tokens: number) => statesTooLittle(counter, read('openai-chat', text + usage(tokens)), family);
  t.equal(states(100), false);
  t.equal(states(80), false, 'tokenizers differ');
  t.equal(states(40), true);
  t.equal(states(0), true);
  const counted: number[] = [];
  const watched: typeof counter = {
    ...counter,
    countText(text) {
      counted.push(text.length);
      return Math.round((text.length * 60) / 256);
    },
  };
  // 2,250 bytes, which their beginning makes 528 tokens.
  const long = (tokens: number) =>
    statesTooLittle(watched, read('openai-chat', text.repeat(5) + usage(tokens)), family);
  t.equal(long(20), true);
  t.same(counted.splice(0), [32], 'what is clear from the first words needs no count of more');
  t.equal(long(445), false);
  t.same(counted.splice(0), [32, 256], 'what is less clear needs a few more');
  t.equal(long(300), true, 'near the bound');
  t.same(counted, [32, 256, 2250], 'all of it is counted');
  t.equal(statesTooLittle(counter, read('openai-chat', usage(0)), family), false, 'nothing came, nothing was stated');
  t.equal(statesTooLittle(counter, read('openai-chat', text), family), false, 'no statement is no mismatch');
});

t.test('recorded streams, cut after every event', { skip: NO_RECORDINGS }, async (t) => {
  const ratios: number[] = [];
  for (const recording of openaiRecordings()) {
    if (!recording.streamed || recording.status !== 200 || recording.usage === null) continue;
    const whole = read(recording.wire as 'openai-chat', recording.bytes);
    const truth = (whole.usage?.output ?? 0) + (whole.usage?.reasoning ?? 0);
    const hidden = truth > 2 * whole.contentEvents && truth * 2 > whole.contentBytes;
    // Where most tokens never show (hidden reasoning, tools at the provider's), nothing can be counted.
    if (truth < 100 || hidden || whole.contentBytes < truth * 2 || whole.contentBytes > truth * 8) continue;
    const family = tokenFamily(`${recording.provider}/${whole.model ?? ''}`);
    const text = recording.bytes.toString();
    let earlier = 0;
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n', at + 2)) {
      if (at - earlier < text.length / 20) continue;
      earlier = at;
      const seen = read(recording.wire as 'openai-chat', text.slice(0, at + 2));
      const share = (truth * seen.contentBytes) / whole.contentBytes;
      if (share >= 20) ratios.push(outputTokensSeen(counter, seen, family) / share);
    }
  }
  ratios.sort((one, other) => one - other);
  const at = (part: number) => ratios[Math.floor(part * (ratios.length - 1))] ?? Number.NaN;
  t.comment(`${ratios.length} cuts: ${[0.05, 0.25, 0.5, 0.75, 0.95].map((part) => at(part).toFixed(2)).join(' ')}`);
  t.ok(ratios.length > 100);
  t.ok(at(0.5) > 0.95 && at(0.5) < 1.05, `the median is ${at(0.5)}`);
  t.ok(at(0.05) > 0.7 && at(0.95) < 1.4, `${at(0.05)} to ${at(0.95)}`);
});
