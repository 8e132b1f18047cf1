import { readFileSync } from 'node:fs';
import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
import t from 'tap';
import { CATALOGUE_VERSION } from '../../src/accounting/catalogue.js';
import { compareCost } from '../../src/accounting/compare-cost.js';
import { costOf } from '../../src/accounting/cost.js';
import { decimalToScaled, dollarsToNano, tokensToNano } from '../../src/accounting/exact.js';
import type { Price } from '../../src/accounting/price.js';
import { createPriceBook } from '../../src/accounting/prices.js';
import { priceAtTier } from '../../src/accounting/service-tiers.js';
import type { Discount } from '../../src/config/money-rules.js';
import type { PriceOverride } from '../../src/config/snapshot.js';
import { emptyUsage, type Usage } from '../../src/dialects/usage.js';
import { NO_EXTRA_PRICES } from '../sample-rules.js';
import { target } from './samples.js';

const AT = Date.UTC(2026, 8, 1);

function override(changes: Partial<PriceOverride>): PriceOverride {
  const open = { ...NO_EXTRA_PRICES, cacheRead: null, cacheWrite: null, request: 0, from: null, until: null };
  return { model: '*', input: 1, output: 2, ...open, ...changes };
}

function priceOf(changes: Partial<PriceOverride>): Price {
  const price = createPriceBook({ overrides: [override(changes)], priceIds: new Map() }).find(target('a/b'), AT);
  if (!price) throw new Error('no price');
  return price;
}

const usage = (changes: Partial<Usage>): Usage => ({ ...emptyUsage(), ...changes });

t.test('case 70: parts are rounded half up, the total is their sum', async (t) => {
  const price = priceOf({ input: 0.0005, output: 0.0004, cacheRead: 0.0001 });
  t.same(costOf(usage({ input: 1, output: 1, cache_read: 5 }), price), {
    total: 2,
    parts: { input: 1, output: 0, cache_read: 1 },
  });
  t.same(costOf(usage({ input: 3, output: 3 }), priceOf({ input: 0.1, output: 0.2 })).total, 900, 'no 0.1 + 0.2');
  const large = costOf(usage({ input: 9_000_000_000 }), priceOf({ input: 999.999999 }));
  t.equal(large.total, 8_999_999_991_000_000);
});

t.test('case 70, 113: costs equal rationals for any decimal price and any count', async () => {
  const digits = fc.record({ units: fc.integer({ min: 0, max: 10 ** 9 }), places: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(digits, fc.integer({ min: 0, max: 10 ** 7 }), ({ units, places }, tokens) => {
      const price = Number(`${units}e-${places}`);
      const numerator = BigInt(units) * BigInt(tokens) * 1_000n;
      const denominator = 10n ** BigInt(places);
      const floor = numerator / denominator;
      const exact = (numerator - floor * denominator) * 2n >= denominator ? floor + 1n : floor;
      return costOf(usage({ input: tokens }), priceOf({ input: price })).total === Number(exact);
    }),
    { numRuns: 2_000 },
  );
});

t.test('decimals as JavaScript prints them', async (t) => {
  for (const [value, scaled] of [
    [0, 0n],
    [0.1, 100_000_000_000n],
    [1e-7, 100_000n],
    [1.5e-12, 2n],
    [1e21, 10n ** 33n],
    [12.5, 12_500_000_000_000n],
  ] as const) {
    t.equal(decimalToScaled(value), scaled, String(value));
  }
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) t.throws(() => decimalToScaled(bad), RangeError);
});

t.test('classes without a price of their own', async (t) => {
  const price = priceOf({ input: 1, output: 10 });
  const all = usage({
    cache_read: 1,
    cache_write_5m: 1,
    cache_write_1h: 1,
    input_audio: 1,
    input_image: 1,
    reasoning: 1,
    output_audio: 1,
  });
  t.same(costOf(all, price).parts, {
    cache_read: 1_000,
    cache_write_5m: 1_000,
    cache_write_1h: 1_000,
    input_audio: 1_000,
    input_image: 1_000,
    reasoning: 10_000,
    output_audio: 10_000,
  });
  const onlyInput: Price = {
    version: 'x',
    rates: { input: { base: 1n, steps: [] } },
    units: {},
    request: null,
    tiers: {},
    contextWindow: null,
  };
  t.equal(costOf(usage({ output: 1 }), onlyInput).total, null, 'unknown is not 0');
  t.equal(costOf(usage({ input: 0 }), onlyInput).total, 0);
  t.equal(costOf(usage({ images: 2 }), onlyInput).total, null, 'units without a price are unknown');
  t.equal(
    costOf(usage({ input: 1_000_000_000, search_units: 2 }), onlyInput).total,
    1,
    'units beside priced tokens are left out',
  );
  t.same(costOf(usage({}), priceOf({ request: 0.01 })), { total: 10_000_000, parts: { requests: 10_000_000 } });
  t.equal(costOf({ input: Number.NaN, output: -5 }, price).total, 0, 'counts that are none');
});

t.test('a price grows with the context, for every token of the request', async (t) => {
  const book = createPriceBook({ overrides: [], priceIds: new Map([['anthropic', 'anthropic']]) });
  const price = book.find(target('anthropic/claude-sonnet-4-5'), AT);
  t.ok(price);
  if (!price) return;
  t.equal(costOf(usage({ input: 200_000 }), price).total, 600_000_000);
  t.equal(costOf(usage({ input: 100_000, cache_read: 100_001 }), price).total, 600_000_000 + 60_000_600);
  t.equal(costOf(usage({ cache_write_1h: 1_000 }), price).total, 6_000_000);
});

t.test('the catalogue agrees with its own calculation', async (t) => {
  const book = createPriceBook({ overrides: [], priceIds: new Map([['openai', 'openai']]) });
  for (const model of ['gpt-5', 'gpt-4o-mini', 'gpt-5-mini-2025-08-07', 'text-embedding-3-small']) {
    const price = book.find(target(`openai/${model}`), AT);
    const theirs = calcPrice({ input_tokens: 12_345, output_tokens: 0 }, model, {
      providerId: 'openai',
      timestamp: new Date(AT),
    });
    t.equal(
      price && costOf(usage({ input: 12_345 }), price).total,
      Math.round((theirs?.total_price ?? 0) * 1e9),
      model,
    );
    t.equal(price?.version, `genai-prices-${CATALOGUE_VERSION}@2026-09-01`);
  }
  const installed = JSON.parse(readFileSync('node_modules/@pydantic/genai-prices/package.json', 'utf8'));
  t.equal(installed.version, CATALOGUE_VERSION);
});

t.test('overrides first, by glob and date; unknown is null', async (t) => {
  const priceIds = new Map<string, string | null>([
    ['openai', 'openai'],
    ['local', null],
  ]);
  const from = Date.UTC(2026, 0, 1);
  const overrides = [
    override({ model: 'local/*', input: 0, output: 0 }),
    override({ model: 'openai/gpt-5', input: 7, from, until: from + 1_000 }),
  ];
  const book = createPriceBook({ overrides, priceIds });
  t.equal(book.find(target('local/org/llama'), AT)?.version, 'config');
  t.equal(book.find(target('openai/gpt-5'), from)?.version, 'config');
  t.match(book.find(target('openai/gpt-5'), from - 1)?.version, /genai/);
  t.match(book.find(target('openai/gpt-5'), from + 1_000)?.version, /genai/);
  t.equal(book.find(target('openai/gpt-5x-nobody-knows'), AT)?.version ?? null, null);
  t.equal(book.find(target('other/gpt-5'), AT), null);
  t.equal(book.find(target('openai/gpt-5'), AT), book.find(target('openai/gpt-5'), AT + 1), 'cached');
});

t.test('units: by the piece, the request once', async (t) => {
  const perImage = priceOf({ input: 0, output: 0, request: 0.01, unit: 0.04 });
  t.same(costOf(usage({ images: 3 }), perImage), {
    total: 130_000_000,
    parts: { images: 120_000_000, requests: 10_000_000 },
  });
  t.equal(costOf(usage({ audio_seconds: 60, output: 5 }), perImage).parts['audio_seconds'], 2_400_000_000);
  t.equal(costOf(usage({ images: 3 }), priceOf({ input: 0, output: 0 })).total, 0, 'a list that makes all free');
  t.equal(costOf(usage({ images: 3 }), priceOf({ input: 1, output: 0 })).total, null, 'no price is not free');
  t.equal(costOf(usage({ images: 3 }), priceOf({ input: 1, output: 0, request: 0.5 })).total, 500_000_000);
  const book = createPriceBook({
    overrides: [],
    priceIds: new Map([
      ['openai', 'openai'],
      ['groq', 'groq'],
      ['perplexity', 'perplexity'],
    ]),
  });
  const cost = (name: string, used: Partial<Usage>) => {
    const price = book.find(target(name), AT);
    return price && costOf(usage(used), price).total;
  };
  t.equal(cost('openai/whisper-1', { audio_seconds: 90 }), 9_000_000, '$0.006 a minute');
  t.equal(cost('groq/whisper-large-v3-turbo', { audio_seconds: 3_600 }), 40_000_000, 'an hour is exact');
  t.equal(cost('openai/gpt-4.1', { input: 1, search_units: 3 }), 2_000 + 30_000_000, 'web searches by the thousand');
  t.match(book.find(target('perplexity/sonar'), AT)?.request, { per: 1_000n });
});

t.test('more classes in the configuration', async (t) => {
  const price = priceOf({ input: 1, output: 2, inputAudio: 3, outputAudio: 4, inputImage: 5, reasoning: 6 });
  const used = usage({ input: 1, output: 1, input_audio: 1, output_audio: 1, input_image: 1, reasoning: 1 });
  t.same(costOf(used, price).parts, {
    input: 1_000,
    output: 2_000,
    input_audio: 3_000,
    output_audio: 4_000,
    input_image: 5_000,
    reasoning: 6_000,
  });
});

t.test('discounts: the first that covers the purchase', async (t) => {
  const discount = (changes: Partial<Discount>): Discount => ({
    model: '*',
    labels: {},
    share: 0.1,
    from: null,
    until: null,
    ...changes,
  });
  const book = createPriceBook({
    overrides: [override({ model: 'a/*', input: 1.25, output: 10, request: 0.01, unit: 0.04 })],
    priceIds: new Map([['openai', 'openai']]),
    discounts: [
      discount({ model: 'a/b', labels: { team: 'search', tier: 'gold' }, share: 0.5 }),
      discount({ model: 'a/*', from: AT, until: AT + 1_000, share: 0.15 }),
      discount({ model: 'openai/*', share: 1 }),
    ],
  });
  const cost = (labels?: Record<string, string>, at = AT) => {
    const price = book.find(target('a/b'), at, labels);
    return [price?.version, price && costOf(usage({ input: 1_000_000, images: 1 }), price).total];
  };
  t.same(cost({ team: 'search', tier: 'gold', more: 'x' }), ['config+discount', 625_000_000 + 20_000_000 + 5_000_000]);
  t.same(cost({ team: 'search' }), ['config+discount', 1_062_500_000 + 34_000_000 + 8_500_000]);
  t.same(cost(), ['config+discount', 1_062_500_000 + 34_000_000 + 8_500_000]);
  t.same(cost({}, AT + 1_000), ['config', 1_250_000_000 + 40_000_000 + 10_000_000], 'over');
  t.same(cost({ team: 'search', tier: 'gold' }, 0)[0], 'config+discount', 'without dates for ever');
  t.equal(book.find(target('a/b'), AT), book.find(target('a/b'), AT), 'cached');
  const free = book.find(target('openai/gpt-5'), AT, {});
  t.equal(free && costOf(usage({ input: 5, output: 5 }), free).total, 0);
  // Labels are data: a name that every object has is no label.
  t.equal(
    createPriceBook({
      overrides: [override({})],
      priceIds: new Map(),
      discounts: [discount({ labels: { constructor: 'x' } })],
    }).find(target('a/b'), AT, {})?.version,
    'config',
  );
});

t.test('a discount is exact for any decimal share', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1_000 }),
      fc.integer({ min: 0, max: 10 ** 6 }),
      fc.integer({ min: 0, max: 10 ** 7 }),
      (thousandths, cents, tokens) => {
        const discounts = [{ model: '*', labels: {}, share: thousandths / 1_000, from: null, until: null }];
        const overrides = [override({ input: cents / 100 })];
        const price = createPriceBook({ overrides, priceIds: new Map(), discounts }).find(target('a/b'), AT);
        // Dollars per million: tokens × cents/100 × (1000 − thousandths)/1000 × 1000 nano-dollars, rounded half up.
        const exact = (BigInt(tokens) * BigInt(cents) * BigInt(1_000 - thousandths) * 2n + 100n) / 200n;
        return price !== null && costOf(usage({ input: tokens }), price).total === Number(exact);
      },
    ),
  );
});

t.test('service tiers', async (t) => {
  const book = createPriceBook({
    overrides: [override({ model: 'mine/*', input: 2, output: 4 })],
    priceIds: new Map([
      ['openai', 'openai'],
      ['mine', null],
    ]),
  });
  const at = (name: string, tier: string | null) => {
    const found = book.find(target(name), AT);
    if (!found) throw new Error('no price');
    const { price, unpriced } = priceAtTier(found, tier);
    return { unpriced, cost: costOf(usage({ input: 1_000_000 }), price).total, version: price.version.split('+')[1] };
  };
  const standard = { unpriced: false, cost: 1_250_000_000, version: undefined };
  for (const tier of [null, 'default', 'auto', 'standard']) t.same(at('openai/gpt-5', tier), standard, String(tier));
  t.same(at('openai/gpt-5', 'flex'), { unpriced: false, cost: 625_000_000, version: 'flex' });
  t.same(at('openai/gpt-5', 'priority'), { ...standard, unpriced: true });
  t.same(at('openai/gpt-5', 'constructor'), { ...standard, unpriced: true });
  t.same(at('mine/x', 'flex'), { unpriced: true, cost: 2_000_000_000, version: undefined });
  // With the step of a long context: the tier takes its share of that step.
  const long = { input: 300_000 };
  const found = book.find(target('openai/gpt-5.4'), AT);
  if (found) {
    const full = costOf(long, found).total ?? 0;
    t.equal(costOf(long, priceAtTier(found, 'flex').price).total, full / 2);
  }
});

t.test('the stated cost beside ours', async (t) => {
  const compared = (cost_nano_usd: number | null, stated_cost_nano_usd?: number) =>
    compareCost({ cost_nano_usd, ...(stated_cost_nano_usd === undefined ? {} : { stated_cost_nano_usd }) });
  t.equal(compared(100), null);
  t.equal(compared(null, 100), null);
  t.same(compared(1_000_000, 1_000_000), { ratio: 1, agreement: 'equal' });
  t.same(compared(1_000_000, 1_005_000), { ratio: 1.005, agreement: 'equal' });
  t.same(compared(1_000_000, 2_000_000), { ratio: 2, agreement: 'provider_more' });
  t.same(compared(1_000_000, 500_000), { ratio: 0.5, agreement: 'provider_less' });
  t.same(compared(0, 0), { ratio: 1, agreement: 'equal' });
  t.same(compared(0, 5_000), { ratio: null, agreement: 'provider_more' });
  t.same(compared(2, 1), { ratio: 0.5, agreement: 'equal' }, 'rounding of tiny amounts');
  t.equal(dollarsToNano(0.00016415), 164_150);
  t.equal(dollarsToNano(1.5e-9), 2);
});

t.test('tokens at a price, by numbers or by BigInts, to the last nano-dollar', async () => {
  const prices = fc.oneof(
    fc.bigInt(0n, 10n ** 4n),
    fc.bigInt(0n, 10n ** 15n),
    fc.bigInt(0n, 10n ** 7n).map((millions) => millions * 10n ** 9n + 5n * 10n ** 8n),
    fc.bigInt(2n ** 53n - 3n, 2n ** 60n),
  );
  const tokens = fc.oneof(fc.nat(1000), fc.nat(10 ** 9), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
  fc.assert(
    fc.property(tokens, prices, (count, price) => {
      const exact = (2n * BigInt(count) * price + 10n ** 9n) / (2n * 10n ** 9n);
      return tokensToNano(count, price) === Number(exact);
    }),
    { numRuns: 3_000 },
  );
});
