import fc from 'fast-check';
import t from 'tap';
import { tokenFamily } from '../../../src/accounting/tokens/families.js';
import { loadO200k } from '../../../src/accounting/tokens/load-o200k.js';
import { inputTokensUpper } from '../../../src/accounting/tokens/media-tokens.js';
import { sumTokens } from '../../../src/accounting/tokens/text-tokens.js';
import { createTokenCounter, type TokenCounter } from '../../../src/accounting/tokens/token-counter.js';
import { matchEndpoint } from '../../../src/dialects/endpoints.js';
import { GatewayError } from '../../../src/dialects/error.js';
import { isObject, stringIn } from '../../../src/dialects/json-value.js';
import { scanRequest } from '../../../src/dialects/request.js';
import { allRecordings, NO_RECORDINGS } from '../../dialects/recordings.js';

/** A clock that stands still: everything is counted, however slow the machine. */
const counter = createTokenCounter({ load: loadO200k, now: () => 0, onProblem: t.threw });
await counter.prepare();

function request(value: object, path = '/v1/chat/completions') {
  const endpoint = matchEndpoint('POST', path);
  if (endpoint === null) throw new Error(path);
  const body = Buffer.from(JSON.stringify({ model: 'openai/gpt-5', ...value }));
  const facts = scanRequest(endpoint, body, 'application/json');
  if (facts instanceof GatewayError) throw facts;
  return { body, facts };
}

const said = (content: unknown) => request({ messages: [{ role: 'user', content }] });

t.test('families by name', async (t) => {
  for (const [name, family] of [
    ['openai/gpt-5', 'openai'],
    ['azure/my-deployment', 'openai'],
    ['openai/o3', 'openai'],
    ['openai/gpt-4o-mini-2024-07-18', 'gpt-4o-mini'],
    ['groq/llama-3.3-70b', 'llama'],
    ['deepseek/deepseek-chat', 'llama'],
    ['gemini/gemini-2.5-flash', 'gemini'],
    ['mistral/mistral-large-latest', 'mistral'],
    ['mistral/codestral-2508', 'mistral'],
    ['anthropic/claude-3-5-sonnet-20241022', 'claude'],
    ['anthropic/claude-sonnet-4-5-20250929', 'claude-4.5'],
    ['anthropic/claude-opus-4-20250514', 'claude'],
    ['anthropic/claude-opus-4-6', 'claude-4.5'],
    ['openrouter/anthropic/claude-opus-4.7', 'claude-4.7'],
    ['bedrock/anthropic.claude-opus-4-8-v1:0', 'claude-4.7'],
    ['anthropic/claude-opus-5', 'claude-4.7'],
    ['mock/echo', 'mock'],
    ['local/something', 'other'],
  ] as const) {
    t.equal(tokenFamily(name).name, family, name);
  }
});

t.test('texts', async (t) => {
  const openai = tokenFamily('openai/gpt-5');
  t.equal(counter.countText('The quick brown fox jumps over the lazy dog.', openai), 10);
  t.equal(counter.countText('', openai), 0);
  t.equal(counter.countText('<|endoftext|>', openai) > 1, true, 'special tokens are text');
  const prose = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
  t.equal(
    counter.countText(prose, tokenFamily('anthropic/claude-opus-4-8')),
    Math.ceil(counter.countText(prose, openai) * 1.49),
  );
  t.equal(counter.countText('two words', tokenFamily('mock/echo')), 2);
});

t.test('inputs', async (t) => {
  t.equal(counter.estimateInput(said('hello world')), 3 + 4 + 2);
  const responses = (input: unknown) => request({ input }, '/v1/responses');
  t.equal(counter.estimateInput(responses('hello world')), 3 + 4 + 2, 'one text is one message');
  t.equal(counter.estimateInput(responses([{ role: 'user', content: 'hello world' }])), 3 + 4 + 2);
  t.equal(counter.estimateInput(responses('hello world'), tokenFamily('mock/echo')), 3 + 2);
  t.equal(counter.estimateInput(said('"quoted"\nlines')), 3 + 4 + 4, 'as the text, not as JSON writes it');
  t.equal(counter.estimateInput(request({ input: [[1, 2, 3], [4]] }, '/v1/embeddings')), 4, 'ready-made tokens');
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(500_000)}` } };
  const link = { type: 'image_url', image_url: { url: 'https://example.com/x.png' } };
  t.equal(counter.estimateInput(said([image])), 3 + 4 + 765, 'base64 is no text');
  t.equal(counter.estimateInput(said([link, link])), Math.min(3 + 4 + 2 * 765), 'what is only linked is not free');
  t.equal(counter.estimateInput(said([link]), tokenFamily('anthropic/claude-sonnet-4-5')), 4 + 1_500);
  const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather of a city' } }];
  const plain = counter.estimateInput(said('hi'));
  const offered = request({ messages: [{ role: 'user', content: 'hi' }], tools });
  t.ok(counter.estimateInput(offered) > plain + 20, 'definitions of tools count');
  // Three blocks stand for a long text.
  const words = 'lorem ipsum dolor sit amet consectetur '.repeat(20_000);
  const sampled = counter.estimateInput(said(words));
  const whole = counter.countText('lorem ipsum dolor sit amet consectetur '.repeat(100), tokenFamily('openai/x')) * 200;
  t.ok(Math.abs(sampled / whole - 1) < 0.02, `${sampled} of ${whole}`);
});

/** What the estimate cannot know: sizes of images, what is fetched or kept elsewhere, tools with hidden texts. */
const UNKNOWABLE = /image|server-tools|file|audio|cached-tokens|cache-request/;
const UNKNOWN_TOOLS = new Set(['anthropic-messages-stream-tool-call-03']);

t.test('estimates and what providers counted', { skip: NO_RECORDINGS }, async (t) => {
  for (const [wires, path] of [
    [['anthropic-messages', 'anthropic-count-tokens'], null],
    [['gemini-generate', 'gemini-count-tokens'], '/v1beta/models/gemini%2Fgemini-2.5-flash:generateContent'],
    [['openai-chat'], null],
  ] as const) {
    const ratios: number[] = [];
    for (const { id, wire, provider, status, features, usage, request: asked } of allRecordings()) {
      if (!wires.some((each) => each === wire) || status !== 200 || usage === null || !isObject(asked)) continue;
      if (UNKNOWABLE.test(features.join()) || UNKNOWN_TOOLS.has(id)) continue;
      const at = path ?? (wire === 'openai-chat' ? '/v1/chat/completions' : '/v1/messages');
      const model = stringIn(asked, 'model');
      const known = ['openai', 'anthropic', 'gemini', 'vertex'].includes(provider);
      if (!known || (path === null && model === null)) continue;
      const sent = request({ ...asked, ...(path === null && { model: `${provider}/${model}` }) }, at);
      const stated = ['input_tokens', 'prompt_tokens', 'promptTokenCount', 'totalTokens'].map((name) => usage[name]);
      const counted = Number(stated.find((count) => typeof count === 'number'));
      if (counted > 0) ratios.push(counter.estimateInput(sent) / counted);
    }
    ratios.sort((one, other) => one - other);
    const at = (share: number) => ratios[Math.floor(share * (ratios.length - 1))] ?? 0;
    t.ok(ratios.length >= 10, `${wires[0]}: ${ratios.length}`);
    t.ok(at(0.5) > 0.85 && at(0.5) < 1.15, `${wires[0]}: median ${at(0.5).toFixed(2)}`);
    t.ok(at(0.05) > 0.15 && at(0.95) < 2.5, `${wires[0]}: ${at(0.05).toFixed(2)} to ${at(0.95).toFixed(2)}`);
  }
});

t.test('a sample stands for the rest', async (t) => {
  const sentences = [
    'Jörg asked why the model had said so. ',
    '{"id": 17, "tags": ["a", "b"]}\n',
    'for (const x of y) z(x);\n',
  ];
  const text = Array.from({ length: 900 }, (_, index) => sentences[(index * 7) % 3]).join('');
  const tools = [{ type: 'function', function: { name: 'look', description: text.slice(0, 9_000) } }];
  for (const sent of [said(text), request({ messages: [{ role: 'user', content: 'hi' }], tools })]) {
    const ratio = counter.estimateInput(sent, undefined, 1024) / counter.estimateInput(sent);
    t.ok(ratio > 0.8 && ratio < 1.25, `${ratio}`);
  }
});

t.test('the mock is counted as it counts', async (t) => {
  const mock = tokenFamily('mock/echo');
  const value = {
    messages: [
      { role: 'system', content: 'Be brief, please.' },
      { role: 'user', content: 'Grüße aus 東京 🎉' },
    ],
  };
  const { countTokens } = await import('../../../src/codec/word-pieces.js');
  const theirs = value.messages.reduce((sum, { content }) => sum + 3 + countTokens(content), 3);
  t.equal(counter.estimateInput(request(value), mock), theirs);
});

t.test('property: never above the bound, and the bound never above what can be', async () => {
  const part = fc.oneof(
    fc.record({ type: fc.constant('text'), text: fc.string({ unit: 'grapheme', maxLength: 200 }) }),
    fc.record({
      type: fc.constant('image_url'),
      image_url: fc.record({ url: fc.constantFrom('https://a/b', `data:image/png;base64,${'A'.repeat(300)}`) }),
    }),
    fc.record({ type: fc.constant('input_audio'), input_audio: fc.record({ data: fc.constant('B'.repeat(400)) }) }),
    fc.record({ type: fc.constant('file'), file: fc.record({ file_id: fc.constant('f') }) }),
  );
  const message = fc.record({
    role: fc.constantFrom('user', 'system'),
    content: fc.oneof(fc.string(), fc.array(part)),
  });
  const family = fc.constantFrom('openai/a', 'gemini/gemini-3', 'anthropic/claude-opus-5', 'mock/a', 'x/y');
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), family, fc.boolean(), (messages, name, tools) => {
      const asked = request({ messages, ...(tools ? { tools: [{ type: 'function' }] } : {}) });
      const of = tokenFamily(name);
      const estimate = counter.estimateInput(asked, of);
      const upper = inputTokensUpper({ request: asked, family: of, contextWindow: null });
      const capped = inputTokensUpper({ request: asked, family: of, contextWindow: 50 });
      if (!(Number.isSafeInteger(estimate) && estimate >= 0 && estimate <= upper))
        throw new Error(`${estimate} ${upper}`);
      if (capped > 50 || capped > upper) throw new Error(`${capped}`);
    }),
  );
});

t.test('time is bounded, and what was counted stands for the rest', async (t) => {
  let clock = 0;
  const budget = { count: (text: string) => text.length, now: () => clock++, ms: 3 };
  t.equal(sumTokens(['a b'.repeat(100_000)], budget), 300_000);
  t.ok(clock < 10, 'a few pieces only');
  const longest = { length: 0 };
  const count = (text: string) => {
    longest.length = Math.max(
      longest.length,
      ...text.split(/\s+/).map((word) => word.length),
      /\s*/.exec(text)?.[0].length ?? 0,
    );
    return 1;
  };
  for (const slow of ['x'.repeat(5_000), ' '.repeat(5_000), '漢'.repeat(5_000), `ok ${'-'.repeat(900)} ok`]) {
    sumTokens([slow], { count, now: () => 0, ms: 3 });
  }
  t.ok(longest.length < 2 * 64, `the longest run is ${longest.length}`);
});

t.test('before the tokenizer is there, and where it never comes', async (t) => {
  const text = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
  const family = tokenFamily('openai/gpt-5');
  let ready = (_count: (piece: string) => number): void => {};
  let loads = 0;
  const late = createTokenCounter({
    load: () => {
      loads += 1;
      return new Promise((resolve) => {
        ready = resolve;
      });
    },
    now: () => 0,
    onProblem: t.threw,
  });
  const first = late.countText(text, family);
  t.ok(Math.abs(first / counter.countText(text, family) - 1) < 0.15, `words: ${first}`);
  late.countText(text, family);
  t.equal(loads, 1, 'the first use loads it');
  ready(() => 7);
  await late.prepare();
  t.equal(late.countText('x', family), 7);
  const problems: unknown[] = [];
  const never: TokenCounter = createTokenCounter({
    load: () => Promise.reject(new Error('gone')),
    now: () => 0,
    onProblem: (error) => problems.push(error),
  });
  await never.prepare();
  t.match(problems, [{ message: 'gone' }]);
  t.equal(never.countText(text, family), first);
});
