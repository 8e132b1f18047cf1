import t from 'tap';
import { costOf } from '../../src/accounting/cost.js';
import type { Price } from '../../src/accounting/price.js';
import { createPriceBook } from '../../src/accounting/prices.js';
import { priceAtTier } from '../../src/accounting/service-tiers.js';
import { normaliseUsage } from '../../src/dialects/openai-usage.js';
import { emptyUsage, type Usage } from '../../src/dialects/usage.js';
import { NO_EXTRA_PRICES } from '../sample-rules.js';
import { target } from './samples.js';

const AT = Date.UTC(2026, 8, 1);

const usage = (changes: Partial<Usage>): Usage => ({ ...emptyUsage(), ...changes });

function catalogued(provider: string, model: string): Price {
  const book = createPriceBook({ overrides: [], priceIds: new Map([[provider, provider]]) });
  const price = book.find(target(`${provider}/${model}`), AT);
  if (!price) throw new Error(`${provider}/${model} is not in the catalogue`);
  return price;
}

t.test('trap 6: tokens written to OpenAI’s cache cost what writing costs', async (t) => {
  const written = normaliseUsage({
    prompt_tokens: 1_000_000,
    completion_tokens: 0,
    prompt_tokens_details: { cached_tokens: 200_000, cache_write_tokens: 800_000 },
  });
  t.match(written, { input: 0, cache_read: 200_000, cache_write_5m: 800_000 });
  const rates = { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.25, request: 0, from: null, until: null };
  const book = createPriceBook({
    overrides: [{ ...NO_EXTRA_PRICES, model: 'openai/*', ...rates }],
    priceIds: new Map(),
  });
  const price = book.find(target('openai/gpt-5.6'), AT);
  t.equal(price && written && costOf(written, price).total, 20_000_000 + 1_000_000_000);
});

t.test('trap 7: the step of a long context holds for writing to the cache too', async (t) => {
  const price = catalogued('anthropic', 'claude-sonnet-4-5');
  const short = costOf(usage({ cache_write_5m: 150_000 }), price).total ?? 0;
  const long = costOf(usage({ cache_write_5m: 300_000 }), price).total ?? 0;
  t.equal(short, 150_000 * 3_750);
  t.equal(long, 300_000 * 7_500, 'twice the rate, not only twice the tokens');
  const mixed = costOf(usage({ input: 100_000, cache_write_5m: 150_000 }), price);
  t.equal(mixed.parts.cache_write_5m, 150_000 * 7_500, 'what is read and written counts together');
});

t.test('trap 8: a service tier takes its share of the step of a long context, or has no price', async (t) => {
  const price = catalogued('openai', 'gpt-5.4');
  const long = usage({ input: 300_000, output: 1_000 });
  const standard = costOf(long, price).total ?? 0;
  t.ok(standard > 2 * (costOf(usage({ input: 150_000, output: 500 }), price).total ?? 0), 'there is a step');
  t.equal(costOf(long, priceAtTier(price, 'flex').price).total, standard / 2);
  t.equal(priceAtTier(price, 'priority').unpriced, true, 'never priced as standard in silence');
});
