import fc from 'fast-check';
import t from 'tap';
import { boundsOf } from '../../../src/accounting/estimates/bounds.js';
import { createPriceBook } from '../../../src/accounting/prices.js';
import type { PriceOverride } from '../../../src/config/snapshot.js';
import { matchEndpoint } from '../../../src/dialects/endpoints.js';
import { GatewayError } from '../../../src/dialects/error.js';
import { scanRequest } from '../../../src/dialects/request.js';
import { NO_EXTRA_PRICES } from '../../sample-rules.js';
import { target } from '../samples.js';

const AT = Date.UTC(2026, 8, 1);
const CHAT = '/v1/chat/completions';

function override(changes: Partial<PriceOverride>): PriceOverride {
  const open = { ...NO_EXTRA_PRICES, cacheRead: null, cacheWrite: null, request: 0, from: null, until: null };
  return { model: '*', input: 1, output: 2, ...open, ...changes };
}

function bounds(
  value: object,
  given: { path?: string; overrides?: PriceOverride[]; targets?: string[]; window?: number } = {},
) {
  const endpoint = matchEndpoint('POST', given.path ?? CHAT);
  if (endpoint === null) throw new Error('no endpoint');
  const body = Buffer.from(JSON.stringify({ model: 'm', ...value }));
  const facts = scanRequest(endpoint, body, 'application/json');
  if (facts instanceof GatewayError) throw facts;
  const targets = (given.targets ?? ['a/b']).map((name) => ({ ...target(name), contextWindow: given.window ?? null }));
  const prices = createPriceBook({
    overrides: given.overrides ?? [override({})],
    priceIds: new Map([
      ['openai', 'openai'],
      ['anthropic', 'anthropic'],
    ]),
    discounts: [{ model: '*', labels: { team: 'cheap' }, share: 0.5, from: null, until: null }],
  });
  return { ...boundsOf({ body, facts, targets, prices, outputCap: 4_096, at: AT }), bytes: body.length };
}

const HI = [{ role: 'user', content: 'hi' }];

t.test('what a request can use at most', async (t) => {
  const plain = bounds({ messages: HI });
  t.match(plain, {
    requests: 1,
    input_tokens: plain.bytes,
    output_tokens: 4_096,
    tokens: plain.bytes + 4_096,
    cost: plain.bytes * 1_000 + 4_096 * 2_000,
  });
  t.match(bounds({ messages: HI, max_tokens: 10, n: 3 }), { output_tokens: 30 });
  t.match(bounds({ messages: HI, max_tokens: 10, max_completion_tokens: 4 }), { output_tokens: 4 });
  t.match(bounds({ messages: HI, max_tokens: 0 }), { output_tokens: 0 });
  t.match(bounds({ messages: HI, max_tokens: -1 }), { output_tokens: 4_096 }, 'unbounded is no bound');
  t.match(bounds({ messages: HI, max_tokens: 10 ** 9, n: 128 }, { window: 1_000 }), { output_tokens: 128_000 });
  const linked = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a/b' } }] }];
  t.ok(bounds({ messages: linked }, { targets: ['openai/gpt-5'] }).input_tokens > 10_000, 'a linked image is not free');
});

t.test('the dearest target, the dearest class', async (t) => {
  const overrides = [override({ model: 'a/*' }), override({ model: 'dear/*', input: 5, output: 1, request: 0.01 })];
  const both = bounds({ messages: HI, max_tokens: 1 }, { overrides, targets: ['a/b', 'dear/x', 'a/b'] });
  t.equal(both.cost, both.bytes * 5_000 + 1_000 + 10_000_000);
  t.equal(bounds({ messages: HI }, { overrides, targets: ['a/b', 'unknown/x'] }).cost, null, 'unknown is not 0');
  const cached = [override({ cacheWrite: 1.25 })];
  t.equal(bounds({ messages: HI, max_tokens: 0 }, { overrides: cached }).cost, both.bytes * 1_250);
  const hour = {
    messages: [{ role: 'user', content: 'hi', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    max_tokens: 0,
  };
  const one = bounds(hour, { overrides: [], targets: ['anthropic/claude-sonnet-4-5'] });
  t.equal(one.cost, one.input_tokens * 6_000, 'a cache for an hour costs twice the input');
  const reasoning = bounds({ messages: HI, max_tokens: 10 }, { overrides: [override({ input: 0, reasoning: 9 })] });
  t.equal(reasoning.cost, 90_000);
  const spoken = { messages: HI, max_tokens: 10, modalities: ['text', 'audio'] };
  t.equal(bounds(spoken, { overrides: [override({ input: 0, outputAudio: 80 })] }).cost, 800_000);
});

t.test('other endpoints', async (t) => {
  const at = (path: string, value: object, changes: Partial<PriceOverride> = {}) =>
    bounds(value, { path, overrides: [override(changes)] });
  t.match(at('/v1/embeddings', { input: 'abc' }), { output_tokens: 0 });
  t.match(at('/v1/moderations', { input: 'abc' }), { output_tokens: 0 });
  t.equal(at('/v1/images/generations', { prompt: 'x', n: 2 }, { input: 0, output: 0, unit: 0.04 }).cost, 80_000_000);
  const whisper = matchEndpoint('POST', '/v1/audio/transcriptions');
  const file = `--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n${'x'.repeat(59_800)}\r\n--b--\r\n`;
  const body = Buffer.from(file);
  const facts = whisper && scanRequest(whisper, body, 'multipart/form-data; boundary=b');
  if (!facts || facts instanceof GatewayError) throw facts ?? new Error('no endpoint');
  const prices = createPriceBook({ overrides: [], priceIds: new Map([['openai', 'openai']]) });
  const asked = { body, facts, targets: [target('openai/whisper-1')], prices, outputCap: 100, at: AT };
  t.equal(boundsOf(asked).cost, 60 * 100_000, 'a minute at the lowest quality');
});

t.test('property: whole numbers from 0 to the largest, whatever is asked', async () => {
  fc.assert(
    fc.property(
      fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
      fc.integer({ min: 1, max: 128 }),
      fc.double({ min: 0, max: 1_000, noNaN: true }),
      (max_tokens, n, price) => {
        const found = bounds(
          { messages: HI, max_tokens, n },
          { overrides: [override({ input: price, output: price })] },
        );
        for (const amount of [found.input_tokens, found.output_tokens, found.tokens, found.cost])
          if (amount === null || !Number.isSafeInteger(amount) || amount < 0) throw new Error(String(amount));
      },
    ),
  );
});
