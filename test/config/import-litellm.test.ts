import t from 'tap';
import { stringify } from 'yaml';
import { importLitellm } from '../../src/config/import-litellm.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';
import { load, surroundings } from './surroundings.js';

const LITELLM = `
model_list:
  - model_name: gpt
    litellm_params: { model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, rpm: 60, tpm: 1, timeout: 30, seed: 1 }
  - model_name: gpt
    litellm_params:
      model: azure/gpt-4o-eu
      api_base: https://eu.openai.azure.com/
      api_key: os.environ/AZURE_KEY
      api_version: "2024-10-21"
      rpm: 20
      stream_timeout: 5
  - model_name: cheap
    litellm_params: { model: groq/llama-3.3-70b, input_cost_per_token: 0.00000059, output_cost_per_token: 7.9e-7 }
  - model_name: local
    litellm_params: { model: openai/qwen, api_base: http://127.0.0.1:8000/v1, api_key: sk-literal-canary-000 }
  - model_name: claude
    litellm_params: { model: sagemaker/claude-sonnet-4-5 }
  - model_name: openai/*
    litellm_params: { model: openai/*, api_key: os.environ/OPENAI_API_KEY }
  - model_name: groq/mixed
    litellm_params: { model: xai/grok, api_key: os.environ/XAI_API_KEY }
  - model_name: openai/gpt-4o-mini
    litellm_params: { model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY }
litellm_settings:
  drop_params: true
  num_retries: 2
  fallbacks: [{ gpt: [cheap] }, { cheap: [claude] }, { local: [cheap] }]
  timeout: 600
router_settings:
  routing_strategy: simple-shuffle
  model_group_alias: { best: gpt }
general_settings: { master_key: os.environ/MASTER, database_url: os.environ/DB }
environment_variables: {}
`;

t.test('what can be expressed is, and loads', async (t) => {
  const imported = importLitellm(LITELLM, PROVIDER_KINDS);
  if (imported === null) throw new Error('not read');
  t.match(imported.config, {
    providers: {
      openai: { kind: 'openai', credentials: `\${OPENAI_API_KEY}` },
      'azure-openai': {
        base_url: 'https://eu.openai.azure.com',
        api_version: '2024-10-21',
        credentials: `\${AZURE_KEY}`,
      },
      'groq-2': { kind: 'groq', credentials: `\${GROQ_API_KEY}` },
      'openai-compatible': { base_url: 'http://127.0.0.1:8000/v1' },
    },
    models: {
      gpt: {
        targets: [
          { model: 'openai/gpt-4o', weight: 60, retry: { response: '30s' } },
          { model: 'azure-openai/gpt-4o-eu', weight: 20, retry: { first_token: '5s' } },
          { model: 'groq-2/llama-3.3-70b', weight: 0 },
        ],
        balance: 'weighted',
        retry: { attempts: 3, response: '600s' },
      },
      best: { balance: 'weighted' },
      local: { targets: ['openai-compatible/qwen', 'groq-2/llama-3.3-70b'] },
      'groq/mixed': { targets: ['xai/grok'] },
    },
    keys: [{ id: 'master', secret: `\${MASTER}` }],
    prices: [{ model: 'groq-2/llama-3.3-70b', input: 0.59, output: 0.79 }],
  });
  const variables = [...stringify(imported.config).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [
    name,
    'made-up-credential-1',
  ]);
  t.same(load(stringify(imported.config), surroundings({ env: Object.fromEntries(variables) })).problems, []);
});

t.test('what cannot is listed, and no secret is copied', async (t) => {
  const imported = importLitellm(LITELLM, PROVIDER_KINDS);
  const notes = imported?.notes.join('\n') ?? '';
  for (const note of [
    'model_list[0].litellm_params.seed: not expressed',
    'model_list[0].litellm_params.rpm: not expressed as a limit, only as a share of the requests',
    'provider "sagemaker" is not known',
    'model_list[5]: "openai/*" is a pattern',
    'api_key: not copied into the file',
    'litellm_settings.drop_params: not expressed',
    'general_settings.database_url: not expressed',
    'environment_variables: not expressed',
    'fallbacks of "cheap": not expressed for claude',
  ]) {
    t.ok(notes.includes(note), note);
  }
  t.notMatch(JSON.stringify(imported), /canary/);
});

t.test('how deployments of one name are balanced', async (t) => {
  const two = (strategy: string) => `
model_list:
  - { model_name: gpt, litellm_params: { model: openai/a } }
  - { model_name: gpt, litellm_params: { model: openai/b, max_retries: 0 } }
  - { model_name: other, litellm_params: { model: openai/c } }
router_settings: { routing_strategy: ${strategy}, fallbacks: [{ gpt: [other] }] }`;
  const latency = importLitellm(two('latency-based-routing'), PROVIDER_KINDS);
  t.match(latency?.config, {
    models: {
      gpt: { targets: ['openai/a', 'openai/b', 'openai/c'], balance: 'least_latency', retry: { attempts: 3 } },
    },
  });
  t.match(latency?.notes, [/take part in least_latency/]);
  t.same(load(stringify(latency?.config)).problems, []);
  const busy = importLitellm(two('least-busy'), PROVIDER_KINDS);
  t.match(busy?.config, { models: { gpt: { balance: 'weighted' }, other: { targets: ['openai/c'] } } });
  t.match(busy?.notes, [/routing_strategy: "least-busy" is not expressed/]);
});

t.test('what is no LiteLLM configuration', async (t) => {
  for (const text of ['', 'a: 1', '[', '- a', 'a: &a [*a]\nmodel_list: *a'])
    t.equal(importLitellm(text, PROVIDER_KINDS) === null, !text.includes('model_list'), text);
});
