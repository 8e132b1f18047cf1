import t from 'tap';
import { createMetrics } from '../../src/observability/metrics.js';
import type { RequestFacts } from '../../src/observability/request-metrics.js';
import { parseExposition, type Sample } from './exposition.js';

const FACTS: RequestFacts = {
  endpoint: '/v1/chat/completions',
  status: 200,
  stream: true,
  usage: { input: 100, cache_read: 20, output: 11, reasoning: 10 },
  usage_source: 'provider',
  cost_nano_usd: 2_500_000,
  first_token_ms: 300,
  ms: 1300,
  target: 'grok/grok-4',
  answered_model: 'grok-4-0709',
  code: null,
  provider: 'grok',
  provider_kind: 'xai',
};

function find(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return samples.find(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )?.value;
}

t.test('many kinds of request in any order are told apart', async (t) => {
  const metrics = createMetrics();
  const kinds: RequestFacts[] = [];
  for (let number = 0; number < 120; number += 1) {
    const code = number % 3 === 0 ? 'policy.rate_limit_exceeded' : null;
    kinds.push({
      ...FACTS,
      endpoint: number % 2 === 0 ? '/v1/embeddings' : '/v1/rerank',
      answered_model: `dated-${number >> 1}`,
      usage_source: number % 5 === 0 ? 'estimated' : 'provider',
      provider_kind: number % 7 === 0 ? 'mistral' : 'xai',
      ...(code === null ? {} : { code, target: null, status: 429 }),
    });
  }
  for (const kind of [...kinds, ...[...kinds].reverse(), ...kinds]) metrics.requestFinished(kind);
  const samples = parseExposition(await metrics.render());
  const count = (labels: Readonly<Record<string, string>>) =>
    samples
      .filter(({ name }) => name === 'gen_ai_server_request_duration_seconds_count')
      .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      .reduce((sum, { value }) => sum + value, 0);
  t.equal(count({}), 360);
  t.equal(count({ gen_ai_operation_name: 'rerank' }), 180);
  t.equal(count({ gen_ai_provider_name: 'mistral_ai' }), 3 * 18);
  t.equal(count({ gen_ai_response_model: 'dated-31' }), 6);
  t.equal(count({ gen_ai_request_model: 'grok-4', error_type: '' }), 0);
  t.equal(find(samples, 'tollgate_requests_total', { code: 'ok' }), 240);
  t.equal(find(samples, 'tollgate_usage_source_total', { source: 'estimated' }), 72);
});

t.test('a finished request', async (t) => {
  const metrics = createMetrics();
  metrics.requestFinished(FACTS);
  metrics.requestFinished({
    ...FACTS,
    status: 403,
    code: 'policy.model_not_allowed',
    target: null,
    provider: null,
    provider_kind: null,
    usage: {},
    usage_source: null,
    cost_nano_usd: null,
    first_token_ms: null,
    answered_model: null,
  });
  metrics.attempt('grok', 'success');
  metrics.overhead(0.002);
  const text = await metrics.render();
  const samples = parseExposition(text);
  const labels = {
    gen_ai_operation_name: 'chat',
    gen_ai_provider_name: 'x_ai',
    gen_ai_request_model: 'grok-4',
    gen_ai_response_model: 'grok-4-0709',
  };
  const tokens = (type: string) =>
    find(samples, 'gen_ai_client_token_usage_sum', { ...labels, gen_ai_token_type: type });
  t.same(
    [tokens('input'), tokens('output'), tokens('cached_input'), tokens('reasoning'), tokens('cache_creation_input')],
    [100, 11, 20, 10, undefined],
  );
  t.equal(find(samples, 'gen_ai_server_request_duration_seconds_sum', labels), 1.3);
  t.equal(
    find(samples, 'gen_ai_server_request_duration_seconds_count', {
      error_type: 'policy.model_not_allowed',
      gen_ai_request_model: 'other',
    }),
    1,
  );
  t.equal(find(samples, 'gen_ai_server_time_to_first_token_seconds_sum', labels), 0.3);
  t.equal(find(samples, 'gen_ai_server_time_per_output_token_seconds_sum', labels), 0.05);
  t.equal(find(samples, 'tollgate_cost_usd_total', { provider: 'grok', model: 'grok-4' }), 0.0025);
  t.equal(find(samples, 'tollgate_requests_total', { code: 'ok' }), 1);
  t.equal(find(samples, 'tollgate_requests_total', { code: 'policy.model_not_allowed' }), 1);
  t.equal(find(samples, 'tollgate_attempts_total', { provider: 'grok', outcome: 'success' }), 1);
  t.equal(find(samples, 'tollgate_usage_source_total', { source: 'provider' }), 1);
  t.equal(find(samples, 'tollgate_overhead_seconds_bucket', { le: '0.0025' }), 1);
  t.ok((find(samples, 'nodejs_eventloop_lag_p99_seconds') ?? -1) >= 0);
  const buckets = (name: string) => [
    ...new Set(
      samples.filter((sample) => sample.name === `${name}_bucket`).map((sample) => Number(sample.labels['le'])),
    ),
  ];
  t.equal(buckets('gen_ai_client_token_usage')[13], 67_108_864);
  t.equal(buckets('gen_ai_server_request_duration_seconds')[13], 81.92);
});

t.test('gauges are read when asked, and absent until somebody watches', async (t) => {
  const metrics = createMetrics();
  t.notMatch(await metrics.render(), /^tollgate_open_requests /m);
  let open = 3;
  metrics.watch('open_requests', () => open);
  t.match(await metrics.render(), /^tollgate_open_requests 3$/m);
  open = 5;
  t.match(await metrics.render(), /^tollgate_open_requests 5$/m);
  metrics.count('handler_errors');
  const samples = parseExposition(await metrics.render());
  t.equal(find(samples, 'tollgate_handler_errors_total'), 1);
  t.equal(find(samples, 'tollgate_config_reloads_total'), 0, 'counters begin at 0');
});

t.test('labels stay bounded and are escaped', async (t) => {
  const metrics = createMetrics();
  const models = async () =>
    new Set(
      parseExposition(await metrics.render())
        .map((sample) => sample.labels['gen_ai_request_model'])
        .filter((model) => model !== undefined),
    );
  for (let at = 0; at < 500; at += 1)
    metrics.requestFinished({
      ...FACTS,
      stream: false,
      usage_source: null,
      cost_nano_usd: null,
      status: 404,
      code: 'provider.model_not_found',
      target: `openai/invented-${at}`,
    });
  t.same([...(await models())], ['other'], 'names that no provider answered for do not count');
  metrics.requestFinished({ ...FACTS, target: 'openai/we"ird\n\\name' });
  for (let at = 0; at < 1500; at += 1)
    metrics.requestFinished({
      ...FACTS,
      stream: false,
      usage_source: null,
      answered_model: `a-${at}`,
      target: `openai/m-${at}`,
    });
  metrics.requestFinished({ ...FACTS, target: `openai/${'x'.repeat(5000)}` });
  const seen = await models();
  t.equal(seen.size, 1001);
  t.ok(seen.has('other') && seen.has('we\\"ird\\n\\\\name'));
});

t.test('health of providers', async (t) => {
  const metrics = createMetrics();
  let health: [string, number][] = [
    ['openai', 1],
    ['groq', 0],
  ];
  metrics.watchSeries('provider_health', () => health);
  t.match(await metrics.render(), /^tollgate_provider_health\{provider="groq"\} 0$/m);
  health = [['openai', 0.5]];
  const text = await metrics.render();
  t.match(text, /^tollgate_provider_health\{provider="openai"\} 0.5$/m);
  t.notMatch(text, /provider_health\{provider="groq"/, 'a provider that is gone is not told any more');
});

t.test('a name counts from the first answer for it on, whatever was counted before', async (t) => {
  const metrics = createMetrics();
  const failed = { ...FACTS, status: 502, code: 'provider.provider_error', usage_source: null };
  metrics.requestFinished(failed);
  metrics.requestFinished(FACTS);
  metrics.requestFinished(failed);
  metrics.requestFinished({ ...FACTS, usage: { input: 1 }, cost_nano_usd: null, stream: false });
  const samples = parseExposition(await metrics.render());
  const count = (labels: Readonly<Record<string, string>>) =>
    find(samples, 'gen_ai_server_request_duration_seconds_count', labels);
  const error = { error_type: 'provider.provider_error' };
  t.equal(count({ ...error, gen_ai_request_model: 'other' }), 1);
  t.equal(count({ ...error, gen_ai_request_model: 'grok-4' }), 1);
  const answered = samples.filter(({ labels }) => labels['error_type'] === undefined);
  t.equal(find(answered, 'gen_ai_server_request_duration_seconds_count'), 2);
  t.equal(find(samples, 'gen_ai_client_token_usage_sum', { gen_ai_token_type: 'input' }), 101);
  t.equal(find(samples, 'gen_ai_server_time_to_first_token_seconds_count', { gen_ai_request_model: 'grok-4' }), 2);
});

t.test('buckets hold what is at most their bound, and add up', async (t) => {
  const metrics = createMetrics();
  for (const seconds of [0, 0.0001, 0.00011, 1, 1.5]) metrics.overhead(seconds);
  const samples = parseExposition(await metrics.render());
  const upTo = (le: string) => find(samples, 'tollgate_overhead_seconds_bucket', { le });
  t.same([upTo('0.0001'), upTo('0.00025'), upTo('0.25'), upTo('1'), upTo('+Inf')], [2, 3, 3, 4, 5]);
  t.equal(find(samples, 'tollgate_overhead_seconds_count'), 5);
  t.match(find(samples, 'tollgate_overhead_seconds_sum')?.toFixed(5), '2.50021');
});
