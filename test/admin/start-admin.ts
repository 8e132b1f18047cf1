import { RecordsUnavailableError } from '../../src/accounting/records/record.js';
import type { AdminDependencies, RequestQuery, RequestRecord, UsageQuery } from '../../src/admin/ports.js';
import { startAdmin } from '../../src/admin/server.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { Secret } from '../../src/observability/secret.js';
import type { LimitRow } from '../../src/policy/limits/limiter.js';
import { sampleKeyDesk } from './sample-key-desk.js';
import { snapshot } from './sample-snapshot.js';

export const RECORD: RequestRecord = {
  id: 'r/1',
  time: '2026-11-22T10:00:00.000Z',
  key: 'web',
  labels: {},
  user: '',
  endpoint: '/v1/chat/completions',
  model: 'smart',
  route: null,
  target: 'openai/gpt-5',
  answered_model: null,
  stream: true,
  status: 200,
  code: null,
  attempts: [],
  usage: { input: 1 },
  usage_source: 'provider',
  cost_nano_usd: 1,
  cost_parts: {},
  price_version: null,
  first_token_ms: null,
  ms: 1,
  cache: null,
  snapshot: 's',
};

const LIMITS: readonly LimitRow[] = [
  {
    limit: 'users',
    of: 'requests',
    partition: { 'request.user': 'ann' },
    state: { used: 1n, held: 0n, place: 'users|requests|total|ann@0', resetsAt: null, resetsInMs: null },
    max: 10n,
    action: 'reject',
  },
  {
    limit: 'budget',
    of: 'cost',
    partition: {},
    state: { used: 900n, held: 50n, place: 'budget|cost|month|@0', resetsAt: Date.UTC(2026, 10), resetsInMs: 1 },
    max: 1000n,
    action: 'reject',
  },
];

/** Dependencies that remember what they were asked. */
export function fakes() {
  const asked: { list: RequestQuery[]; usage: UsageQuery[]; failures: unknown[] } = {
    list: [],
    usage: [],
    failures: [],
  };
  const listeners = new Set<(record: RequestRecord) => void>();
  const state = { reasons: [] as string[], degraded: [] as string[], broken: false };
  const dependencies: AdminDependencies = {
    records: {
      content: (id) => (id === 'r1' ? { id, request: 'prompt', response: 'answer' } : null),
      list(query) {
        if (query.key === 'slow') throw new RecordsUnavailableError('the database is away');
        if (state.broken) throw new Error('database at secret-host is down');
        if (query.cursor === 'made-up') throw new RangeError('cursor: not one of ours');
        asked.list.push(query);
        return { data: [RECORD], next: 'c2' };
      },
      get: async (id) => (id === RECORD.id ? RECORD : null),
      usage(query) {
        asked.usage.push(query);
        return [
          {
            model: 'smart',
            requests: 1,
            errors: 0,
            usage: { input: 1 },
            cost_nano_usd: 1,
            cost_usd: '0.000000001',
            unpriced_requests: 0,
            estimated_requests: 0,
          },
        ];
      },
    },
    snapshot,
    readiness: () => ({ reasons: state.reasons, degraded: state.degraded }),
    metrics: createMetrics(),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    verifyLedger: () => ({ segments: 1, damaged: [] }),
    entries: () => ({
      async eachEntry(_span, take) {
        take({ ...RECORD, type: 'settle', cost_parts: { input: 1 } });
        take({ ...RECORD, type: 'estimate', cost_nano_usd: null });
        return { damages: 0 };
      },
    }),
    disagreements: () => [{ kind: 'missing_line', id: 'r1' }],
    limits: async () => LIMITS,
    providerHealth: () => null,
    gatewayUrl: () => 'http://127.0.0.1:8080/v1',
    keys: sampleKeyDesk(),
    failure: (_message, error) => void asked.failures.push(error),
  };
  return { asked, listeners, state, dependencies };
}

/** A running admin listener on a free port. */
export async function start(t: Tap, token: string | null = null) {
  const parts = fakes();
  const admin = await startAdmin({
    address: { host: '127.0.0.1', port: 0 },
    token: token === null ? null : new Secret(token),
    version: '0.0.0',
    dependencies: parts.dependencies,
  });
  t.teardown(() => admin.close());
  const url = (path: string) => `http://127.0.0.1:${admin.address.port}${path}`;
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url(path), init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith('{') ? JSON.parse(text) : null,
    };
  };
  return { ...parts, admin, get, url };
}

interface Tap {
  teardown(done: () => Promise<void>): void;
}
