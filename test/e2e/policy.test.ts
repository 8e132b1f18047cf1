/** Who may use what, and what it costs: keys, models, endpoints, labels, prices, reports. */
import t from 'tap';
import { type Gateway, startGateway } from './harness.js';
import { type Scripted, startScripted } from './scripted.js';

const CHAT = '/v1/chat/completions';
const SEARCH = 'sk-search-0123456789abcdef';
const VECTORS = 'sk-vectors-0123456789abcdef';
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  provider.on('vectors', {
    chunks: ['{"object":"list","data":[],"model":"vectors","usage":{"prompt_tokens":5,"total_tokens":5}}'],
  });
  gateway = await startGateway(t, {
    config: {
      providers: {
        openai: { kind: 'openai', base_url: provider.baseUrl, credentials: 'sk-provider-0123456789' },
        local: { kind: 'openai-compatible', base_url: provider.baseUrl },
      },
      models: { smart: { targets: ['local/priced'] }, embedder: { targets: ['local/vectors'] } },
      keys: [
        {
          id: 'search',
          secret: SEARCH,
          labels: { team: 'search' },
          models: ['smart', 'openai/gpt-4o-mini', 'local/*'],
        },
        { id: 'vectors', secret: VECTORS, models: ['embed*'], endpoints: ['/v1/embeddings', '/v1/models*'] },
      ],
      prices: [
        { model: 'local/priced', input: 100, output: 100, until: '2026-01-01' },
        { model: 'local/priced', input: 3, output: 15, request: 0.001, from: '2026-01-01' },
        { model: 'local/vectors', input: 0.02, output: 0 },
      ],
    },
  });
});

const chat = (model: string) => ({ model, messages: [{ role: 'user', content: 'hi' }] });

function errorOf(answer: { readonly text: string }): object {
  return (JSON.parse(answer.text) as { error: object }).error;
}

t.test('case 13: models that are not there, or not for this key', async (t) => {
  const seen = provider.begun;
  for (const model of ['local', 'local/', 'Local/x', 'other/gpt-4o-mini', 'smarter', '']) {
    const answer = await gateway.post(CHAT, chat(model), bearer(SEARCH));
    t.ok([400, 403, 404].includes(answer.status), `${model}: ${answer.status}`);
    t.match(errorOf(answer), { param: 'model', message: String });
  }
  const missing = await gateway.post(CHAT, chat('local/'), bearer(SEARCH));
  t.match({ status: missing.status, error: errorOf(missing) }, { status: 404, error: { code: 'model_not_found' } });
  const forbidden = await gateway.post(CHAT, chat('openai/gpt-5'), bearer(SEARCH));
  t.match(
    { status: forbidden.status, error: errorOf(forbidden) },
    { status: 403, error: { code: 'model_not_allowed', param: 'model' } },
  );
  const record = await gateway.record(forbidden.headers['x-request-id'] ?? '');
  t.match(record, {
    key: 'search',
    status: 403,
    code: 'model_not_allowed',
    cost_nano_usd: 0,
    target: null,
    attempts: [],
  });
  t.equal(provider.begun, seen, 'no provider was asked');
});

t.test('case 13: each key sees its own models', async (t) => {
  const names = async (key: string): Promise<string[]> => {
    const { status, text } = await gateway.get('/v1/models', bearer(key));
    t.equal(status, 200);
    return (JSON.parse(text) as { data: { id: string }[] }).data.map(({ id }) => id);
  };
  t.same(await names(SEARCH), ['smart', 'openai/gpt-4o-mini']);
  t.same(await names(VECTORS), ['embedder']);
  const one = await gateway.get('/v1/models/smart', bearer(SEARCH));
  t.match({ status: one.status, body: JSON.parse(one.text) }, { status: 200, body: { id: 'smart', object: 'model' } });
  const hidden = await gateway.get('/v1/models/smart', bearer(VECTORS));
  t.match({ status: hidden.status, error: errorOf(hidden) }, { status: 404, error: { code: 'model_not_found' } });
});

t.test('a key for some endpoints only', async (t) => {
  const seen = provider.begun;
  const refused = await gateway.post(CHAT, chat('embedder'), bearer(VECTORS));
  t.equal(refused.status, 403);
  t.equal(provider.begun, seen);
  const answer = await gateway.post('/v1/embeddings', { model: 'embedder', input: 'hi' }, bearer(VECTORS));
  t.equal(answer.status, 200);
  const record = await gateway.record(answer.headers['x-request-id'] ?? '');
  t.match(record, {
    endpoint: '/v1/embeddings',
    model: 'embedder',
    usage: { input: 5, output: 0 },
    cost_nano_usd: 100,
  });
});

t.test('case 69: prices: configured by date, from the catalogue, unknown', async (t) => {
  const recordOf = async (model: string) => {
    const answer = await gateway.post(CHAT, chat(model), bearer(SEARCH));
    t.equal(answer.status, 200);
    return gateway.record(answer.headers['x-request-id'] ?? '');
  };
  // 7 tokens in, 1 out: 7 × 3,000 + 1 × 15,000 nano-dollars, and a thousandth of a dollar for the request.
  t.match(await recordOf('smart'), {
    model: 'smart',
    target: 'local/priced',
    usage: { input: 7, output: 1 },
    usage_source: 'provider',
    cost_nano_usd: 1_036_000,
    cost_parts: { input: 21_000, output: 15_000, requests: 1_000_000 },
    price_version: 'config',
  });
  t.match(await recordOf('openai/gpt-4o-mini'), {
    cost_nano_usd: 7 * 150 + 600,
    cost_parts: { input: 1_050, output: 600 },
    price_version: /^genai-prices-[\d.]+@\d{4}-\d\d-\d\d$/,
  });
  const unknown = await recordOf('local/unheard-of');
  t.match(unknown, { usage: { input: 7, output: 1 }, cost_nano_usd: null, price_version: null });
  await gateway.metric('tollgate_unpriced_requests_total', 1);
});

t.test('metadata become labels; a client does not relabel its key', async (t) => {
  const metadata = { 'x-tollgate-metadata': '{"workload":"batch","team":"another","size":3}' };
  const answer = await gateway.post(CHAT, chat('smart'), { ...bearer(SEARCH), ...metadata });
  const record = await gateway.record(answer.headers['x-request-id'] ?? '');
  t.same(record.labels, { team: 'search', workload: 'batch', size: '3' });
  const capture = provider.captures.at(-1);
  t.notOk(JSON.stringify(capture?.headers).includes('batch'), 'metadata stay with us');
  for (const bad of ['{"a":{}}', 'no json', '[]', `{"a":"${'x'.repeat(1100)}"}`]) {
    const refused = await gateway.post(CHAT, chat('smart'), { ...bearer(SEARCH), 'x-tollgate-metadata': bad });
    t.match({ status: refused.status, error: errorOf(refused) }, { status: 400, error: { code: 'invalid_metadata' } });
  }
});

t.test('usage and ledger, by the admin API and from the command line', async (t) => {
  const api = await gateway.usage('workload,team');
  const batch = api.find((row) => row['workload'] === 'batch');
  t.match(batch, { team: 'search', requests: 1, errors: 0, usage: { input: 7, output: 1 }, cost_nano_usd: 1_036_000 });

  const json = await gateway.command('usage', '--by', 'workload,team', '--format', 'json');
  t.equal(json.code, 0, json.stderr);
  t.same((JSON.parse(json.stdout) as { data: unknown }).data, api, 'the command tells what the gateway tells');
  const table = await gateway.command('usage', '--by', 'model');
  t.match(table, { code: 0, stdout: /^MODEL +REQUESTS[\s\S]*^smart +2 [\s\S]*^TOTAL /m });

  const verified = await gateway.command('ledger', 'verify', '--format', 'json');
  t.equal(verified.code, 0, verified.stderr);
  const report = JSON.parse(verified.stdout) as { by_type: Record<string, number> };
  t.match(report, { ok: true, open_holds: 0, duplicates: 0, damages: [], torn: [] });
  t.equal(report.by_type['hold'], report.by_type['settle'], 'every hold is settled');
  t.same(gateway.unsettled(), []);
});
