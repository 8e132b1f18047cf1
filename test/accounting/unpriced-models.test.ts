import t from 'tap';
import { UnpricedModels } from '../../src/accounting/unpriced-models.js';
import { final } from './samples.js';

t.test('what was used without a price', async (t) => {
  const models = new UnpricedModels();
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 1, 0, minute)).toISOString();
  const entry = (target: string | null, minute: number, more: object = {}) =>
    final('x', {
      target,
      time: at(minute),
      cost_nano_usd: null,
      usage: { input: 10, cache_read: 5, output: 2 },
      ...more,
    });
  t.equal(models.add(entry('a/x', 5)), true, 'the first');
  t.equal(models.add(entry('a/x', 3)), false);
  t.equal(models.add(entry('a/x', 9, { usage: { input_audio: 1, reasoning: 3 } })), false);
  t.equal(models.add(entry('a/y', 1)), true);
  t.equal(models.add(entry('a/priced', 1, { cost_nano_usd: 0 })), false);
  t.equal(models.add(entry('a/void', 1, { usage_source: null })), false);
  t.equal(models.add(entry(null, 1)), false);
  t.same(models.list(), [
    { target: 'a/x', first_seen: at(3), last_seen: at(9), requests: 3, input_tokens: 31, output_tokens: 7 },
    { target: 'a/y', first_seen: at(1), last_seen: at(1), requests: 1, input_tokens: 15, output_tokens: 2 },
  ]);
  for (let index = 0; index < 3_000; index += 1) models.add(entry(`a/made-up-${index}`, 20));
  t.equal(models.list().length, 1_000, 'bounded');
});
