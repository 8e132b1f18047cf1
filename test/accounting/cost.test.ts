import { readFileSync } from 'node:fs';
import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
import t from 'tap';
import { CATALOGUE_VERSION } from '../../src/accounting/catalogue.js';
import { costOf } from '../../src/accounting/cost.js';
import { decimalToScaled } from '../../src/accounting/exact.js';
import type { Price } from '../../src/accounting/price.js';
import { createPriceBook } from '../../src/accounting/prices.js';
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

t.test('parts are rounded half up, the total is their sum', async (t) => {
  const price = priceOf({ input: 0.0005, output: 0.0004, cacheRead: 0.0001 });
  t.same(costOf(usage({ input: 1, output: 1, cache_read: 5 }), price), {
    total: 2,
    parts: { input: 1, output: 0, cache_read: 1 },
  });
  t.same(costOf(usage({ input: 3, output: 3 }), priceOf({ input: 0.1, output: 0.2 })).total, 900, 'no 0.1 + 0.2');
  const large = costOf(usage({ input: 9_000_000_000 }), priceOf({ input: 999.999999 }));
  t.equal(large.total, 8_999_999_991_000_000);
});

t.test('costs equal rationals for any decimal price and any count', async () => {
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
    request: null,
    contextWindow: null,
  };
  t.equal(costOf(usage({ output: 1 }), onlyInput).total, null, 'unknown is not 0');
  t.equal(costOf(usage({ input: 0 }), onlyInput).total, 0);
  t.equal(costOf(usage({ requests: 2 }), onlyInput).total, null, 'units without a price are unknown');
  t.equal(
    costOf(usage({ input: 1_000_000_000, requests: 2 }), onlyInput).total,
    1,
    'units beside priced tokens are in them',
  );
  t.same(costOf(usage({}), priceOf({ request: 0.01 })), { total: 10_000_000, parts: { requests: 10_000_000 } });
  t.equal(costOf(usage({ requests: 3 }), priceOf({ input: 0, output: 0, request: 0.01 })).total, 30_000_000);
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
