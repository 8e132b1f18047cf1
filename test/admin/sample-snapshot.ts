import type { Model, ModelTarget, Snapshot } from '../../src/config/snapshot.js';
import { Secret } from '../../src/observability/secret.js';
import { RETRY } from '../sample-retry.js';
import { NO_RULES } from '../sample-rules.js';

const target: ModelTarget = {
  name: 'openai/gpt-5',
  provider: 'openai',
  model: 'gpt-5',
  weight: 1,
  contextWindow: null,
  retry: RETRY,
};
const smart: Model = {
  name: 'smart',
  targets: [target],
  balance: 'ordered',
  retry: RETRY,
  retryBudget: 0.2,
  allowUnpriced: false,
  outputCap: 4096,
};

/** A configuration full of secrets that must never be shown. */
export function snapshot(): Snapshot {
  const key = (id: string) => ({
    id,
    sha256: 'd1'.repeat(32),
    labels: { team: 'search' },
    models: null,
    endpoints: null,
    expiresAt: id === 'ci' ? Date.UTC(2027, 0, 1) : null,
    metadata: {},
  });
  return {
    version: 'abc123def456',
    path: null,
    gateway: { listen: { host: '0.0.0.0', port: 8080 }, bodyLimit: 1024, modelsOnly: false, tls: null },
    admin: {
      listen: { host: '127.0.0.1', port: 0 },
      token: new Secret('the-admin-token-itself'),
      pepper: new Secret('the-pepper-itself'),
    },
    envoy: { admin: { host: '127.0.0.1', port: 9901 }, binary: 'auto', concurrency: 1 },
    runtimeDirectory: '/run',
    dataDirectory: '/data',
    ledger: { directory: '/data/ledger', syncMs: 100 },
    records: { kind: 'postgres', content: false, url: new Secret('postgres://user:db-password@host/db') },
    providers: new Map([
      [
        'openai',
        {
          name: 'openai',
          kind: 'openai',
          baseUrl: 'https://api.openai.com/v1',
          credentials: [{ secret: new Secret('sk-upstream-credential-0001'), weight: 1 }],
          headers: { 'x-org-token': 'fixed-header-value' },
          apiVersion: null,
          probeMs: null,
        },
      ],
    ]),
    models: new Map([['smart', smart]]),
    keys: ['web', 'ci', 'third'].map(key),
    prices: [],
    ...NO_RULES,
    defaults: { retry: RETRY, retryBudget: 0.2, outputCap: 4096 },
  };
}
