import fc from 'fast-check';
import t from 'tap';
import { mergeMetrics } from '../../../src/app/workers/merge-metrics.js';
import { createMetrics, type Metrics } from '../../../src/observability/metrics.js';
import { parseExposition } from '../../observability/exposition.js';

t.test('counters and histograms add up, gauges by their meaning', async (t) => {
  const page = (values: Readonly<Record<string, number>>): string =>
    `${Object.entries(values)
      .map(([key, value]) => {
        const name = key.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, '');
        const type = name.endsWith('_total') ? 'counter' : key === name || key.includes('{x') ? 'gauge' : 'histogram';
        return `# HELP ${name} h\n# TYPE ${name} ${type}\n${key} ${value}`;
      })
      .join('\n')}\n`;
  const cases: readonly (readonly [key: string, one: number, other: number, merged: number])[] = [
    ['tollgate_requests_total{code="a b",x="1 2"}', 3, 4, 7],
    ['tollgate_overhead_seconds_bucket{le="+Inf"}', 3, 4, 7],
    ['tollgate_overhead_seconds_sum', 0.25, 0.5, 0.75],
    ['tollgate_open_requests', 3, 4, 7],
    ['tollgate_ledger_writable', 1, 0, 0],
    ['tollgate_limit_store_reachable', 1, 1, 1],
    ['tollgate_limit_used_ratio{xlimit="a"}', 0.25, 0.5, 0.5],
    ['tollgate_provider_health{xprovider="p"}', 0.5, 1, 0.5],
    ['nodejs_eventloop_lag_p99_seconds', 0.25, 0.5, 0.5],
    ['nodejs_eventloop_lag_min_seconds', 0.25, 0.5, 0.25],
    ['nodejs_version_info{xversion="v24"}', 1, 1, 1],
    ['nodejs_heap_size_used_bytes', 100, 50, 150],
    ['process_resident_memory_bytes', 100, 50, 150],
    ['process_start_time_seconds', 100, 50, 100],
    ['something_new', 1, 2, 3],
  ];
  for (const [key, one, other, merged] of cases) {
    const line = mergeMetrics([page({ [key]: one }), page({ [key]: other })]).split('\n');
    t.ok(line.includes(`${key} ${merged}`), key);
  }
});

/** Labels and values that a page may have. A name that only failed is not told, so failures have no target here. */
const request = fc.record({
  endpoint: fc.constantFrom('/v1/chat/completions', '/v1/embeddings'),
  status: fc.constantFrom(200, 429, 503),
  model: fc.constantFrom('a', 'b c', 'quo"te\\'),
  ms: fc.integer({ min: 0, max: 100_000 }),
});

function count(
  metrics: Metrics,
  { endpoint, status, model, ms }: { endpoint: string; status: number; model: string; ms: number },
): void {
  metrics.requestFinished({
    endpoint,
    status,
    stream: ms % 2 === 0,
    usage: { input: ms, output: 1 },
    usage_source: 'provider',
    cost_nano_usd: ms,
    first_token_ms: ms,
    ms,
    target: status === 200 ? `p/${model}` : null,
    answered_model: status === 200 ? model : null,
    code: status === 200 ? null : 'policy.x',
    provider: 'p',
    provider_kind: 'openai',
  });
  metrics.count('limits_shadowed');
  metrics.countKind('alerts', model);
}

t.test('the sum over processes is what one process would have counted', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(request, fc.nat({ max: 2 })), { maxLength: 40 }), async (requests) => {
      const workers = [createMetrics(), createMetrics(), createMetrics()];
      const alone = createMetrics();
      for (const [facts, at] of requests) {
        count(alone, facts);
        const worker = workers[at];
        if (worker) count(worker, facts);
      }
      const merged = mergeMetrics(await Promise.all(workers.map((worker) => worker.totals())));
      const own = (page: string) =>
        new Map(
          parseExposition(page)
            .filter(({ name }) => !/^(process|nodejs)_/.test(name))
            .map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]),
        );
      const [sums, wanted] = [own(merged), own(await alone.totals())];
      for (const [key, value] of wanted)
        if (Math.abs((sums.get(key) ?? Number.NaN) - value) > 1e-9 * Math.max(1, value))
          throw new Error(`${key}: ${sums.get(key)}, not ${value}`);
      if (sums.size !== wanted.size) throw new Error('a sample too many');
    }),
    { numRuns: 30 },
  );
  t.pass('sums are the same');
});

t.test('a whole page', async (t) => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.watch('open_requests', () => 2);
  other.watch('open_requests', () => 3);
  one.watchSeries('info', () => [['1.0', '4', 1]]);
  other.watchSeries('info', () => [['1.0', '5', 1]]);
  const merged = mergeMetrics([await one.render(), await other.render()]);
  const samples = parseExposition(merged);
  t.equal(samples.find(({ name }) => name === 'tollgate_open_requests')?.value, 5);
  t.same(
    samples.filter(({ name }) => name === 'tollgate_info').map(({ labels }) => labels['generation']),
    ['4', '5'],
  );
  const types = merged.split('\n').filter((line) => line.startsWith('# TYPE '));
  t.equal(new Set(types).size, types.length, 'each metric once');
  t.notMatch(await one.totals(), /tollgate_open_requests|nodejs_heap/, 'totals have no gauges');
});
