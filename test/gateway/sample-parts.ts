import { createHash } from 'node:crypto';
import type { EnvoyWords } from '../../src/accounting/envoy-log.js';
import type { FinalEntry, HoldEntry } from '../../src/accounting/ledger/entry.js';
import type { Ledger } from '../../src/accounting/ledger/ledger.js';
import { compileRules } from '../../src/app/rules.js';
import type { Model, ModelTarget, ProviderAccount, Retry, Snapshot } from '../../src/config/snapshot.js';
import type { Exchange } from '../../src/gateway/exchange.js';
import type { HeaderView } from '../../src/gateway/headers.js';
import type { Parts, Unrecorded } from '../../src/gateway/parts.js';
import type { Reply } from '../../src/gateway/reply.js';
import { Secret } from '../../src/observability/secret.js';
import { createBadKeyGuard } from '../../src/policy/keys/bad-key-guard.js';
import { createFixedKeyRing } from '../../src/policy/keys/fixed-key-ring.js';
import type { Limiter } from '../../src/policy/limits/limiter.js';
import { NO_LIMITS } from '../../src/policy/limits/no-limits.js';
import { createRetryBudget } from '../../src/policy/routing/retry-budget.js';
import { createCredentialPool } from '../../src/providers/credentials/create-credential-pool.js';
import { credentialHeaderNames } from '../../src/providers/credentials/header.js';
import { createHealth } from '../../src/providers/health/create-health.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';
import { RETRY } from '../sample-retry.js';
import { NO_EXTRA_PRICES, NO_RULES } from '../sample-rules.js';
import { LOOP_WORK } from './long-work/loop-work.js';

export const KEY = 'sk-a-key-of-the-tests';
/** May ask for `smart` on chat completions only. */
export const NARROW_KEY = 'sk-a-narrow-key';

export function target(name: string, retry: Retry = RETRY, contextWindow: number | null = null): ModelTarget {
  const [provider = '', model = ''] = name.split('/');
  return { name, provider, model, weight: 1, contextWindow, retry };
}

function account(name: string): ProviderAccount {
  const credentials = [{ secret: new Secret(`credential-of-${name}`), weight: 1 }];
  const headers = { [`x-only-${name}`]: name };
  const kind = 'openai-compatible';
  return { name, kind, baseUrl: `http://${name}.test/v1`, credentials, headers, apiVersion: null, probeMs: null };
}

function model(name: string, targets: readonly ModelTarget[], retry: Retry = RETRY): Model {
  return { name, targets, balance: 'ordered', retry, retryBudget: null, allowUnpriced: false, outputCap: 4096 };
}

const ONCE: Retry = { ...RETRY, attempts: 1 };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Two providers, a and b; models `smart` (a/small with a window of 10, then b/large with 100), `single` (one try at a). */
export function sampleSnapshot(more: Partial<Snapshot> = {}): Snapshot {
  const key = { labels: { team: 'search' }, models: null, endpoints: null, expiresAt: null, metadata: {} };
  const listen = { host: '127.0.0.1', port: 0 };
  const models = [
    model('smart', [target('a/small', RETRY, 10), target('b/large', RETRY, 100)]),
    model('single', [target('a/small', ONCE)], ONCE),
  ];
  return {
    version: '0123456789ab',
    path: null,
    gateway: { listen, bodyLimit: 1024, modelsOnly: false, tls: null },
    admin: { listen, token: null },
    envoy: { admin: listen, binary: 'auto', concurrency: 1 },
    runtimeDirectory: '/run',
    dataDirectory: '/data',
    ledger: { directory: '/data/ledger', syncMs: 100 },
    records: { kind: 'sqlite', content: false },
    providers: new Map(['a', 'b'].map((name) => [name, account(name)])),
    models: new Map(models.map((entry) => [entry.name, entry])),
    keys: [
      { ...key, id: 'web', sha256: sha256(KEY) },
      { ...key, id: 'narrow', sha256: sha256(NARROW_KEY), models: ['smart'], endpoints: ['/v1/chat/completions'] },
    ],
    prices: [
      {
        ...NO_TIMES,
        ...NO_EXTRA_PRICES,
        model: '*',
        input: 1,
        output: 2,
        cacheRead: null,
        cacheWrite: null,
        request: 0,
      },
    ],
    ...NO_RULES,
    defaults: { retry: RETRY, retryBudget: null, outputCap: 4096 },
    ...more,
  };
}

const NO_TIMES = { from: null, until: null };

/** Everything a request uses, in memory, with a record of all that was said. */
export class SampleParts implements Parts {
  readonly kinds = PROVIDER_KINDS;
  readonly credentials = createCredentialPool({
    kinds: PROVIDER_KINDS,
    env: {},
    fetch: () => Promise.reject(new Error('no network in this test')),
    readFile: () => Promise.reject(new Error('no files in this test')),
    now: () => this.time,
    random: () => 0.5,
    onProblem: () => undefined,
  }).pool;
  readonly credentialHeaders = credentialHeaderNames(PROVIDER_KINDS.values());
  readonly health = createHealth();
  readonly retryBudget = createRetryBudget();
  readonly generation: string;
  readonly holds: HoldEntry[] = [];
  readonly finals: FinalEntry[] = [];
  readonly unrecorded: Unrecorded[] = [];
  readonly attempts: string[] = [];
  readonly faults: string[] = [];
  readonly remarks: string[] = [];
  /** Milliseconds, of both clocks. */
  time = 1_760_000_000_000;
  /** `deferred`: the hold is on disk, and Envoy's logs speak, only at `flush`. */
  mode: 'at_once' | 'deferred' | 'disk_full' = 'at_once';
  words: EnvoyWords = { attempts: [], end: null };
  #waiting: (() => void)[] = [];
  #rules;

  constructor(snapshot: Snapshot = sampleSnapshot(), generation = '7', limiter: Limiter = NO_LIMITS) {
    this.generation = generation;
    const keys = createFixedKeyRing(snapshot.keys);
    this.#rules = compileRules({ snapshot, keys, kinds: PROVIDER_KINDS, modelsOf: () => [], limiter, now: this.time });
  }

  readonly rules = () => this.#rules;
  readonly random = () => 0.5;
  readonly rotation = () => 0;
  readonly contents: Parameters<NonNullable<Parts['content']>['write']>[0][] = [];
  content: Parts['content'] = null;
  readonly badKeys = createBadKeyGuard({ now: () => this.time });
  readonly tokens: Parts['tokens'] = {
    prepare: async () => {},
    countText: (text) => Math.ceil(text.length / 4),
    estimateInput: ({ facts }) => Math.ceil(facts.inputBytes / 4),
  };
  /** Tests of long bodies have their own. */
  longWork: Parts['longWork'] = LOOP_WORK;
  readonly clusterOf = (provider: string) => `cluster-of-${provider}`;
  readonly upgradeClusterOf = (provider: string) => `upgrade-of-${provider}`;
  readonly clock = { now: () => this.time, monotonic: () => this.time };

  readonly ledger: Ledger = {
    writable: true,
    hold: (entry, done) => {
      if (this.mode === 'disk_full') return done(new Error('no space left'));
      this.holds.push(entry);
      this.#soon(() => done());
    },
    finish: (entry) => this.finals.push(entry),
    close: async () => undefined,
  };

  readonly envoyLog: Parts['envoyLog'] = { ask: (_question, answer) => this.#soon(() => answer(this.words)) };

  readonly report: Parts['report'] = {
    finished: () => undefined,
    unrecorded: (request) => this.unrecorded.push(request),
    attempt: (provider, outcome) => this.attempts.push(`${provider} ${outcome}`),
    overhead: () => undefined,
    credentialRefused: () => undefined,
    remark: (remark) => this.remarks.push(remark),
    fault: (what, error) => this.faults.push(`${what}: ${String(error)}`),
  };

  flush(): void {
    for (const done of this.#waiting.splice(0)) done();
  }

  #soon(done: () => void): void {
    if (this.mode === 'deferred') this.#waiting.push(done);
    else done();
  }
}

export function headers(entries: Readonly<Record<string, string>>): HeaderView {
  const all = Object.entries(entries);
  return {
    get: (name) => entries[name],
    all: (name) => all.filter(([key]) => key === name).map(([, value]) => value),
    names: () => Object.keys(entries),
    entries: () => all,
  };
}

/** What is said to the request's headers; throws when nothing is said at once. */
export function headersReply(exchange: Exchange, last = false): Reply {
  const replies: Reply[] = [];
  exchange.requestHeaders(last, (reply) => replies.push(reply));
  const [reply] = replies;
  if (!reply) throw new Error('no reply yet');
  return reply;
}

/** The headers of a chat request as Envoy sends them. */
export const CHAT: Readonly<Record<string, string>> = {
  ':method': 'POST',
  ':path': '/v1/chat/completions',
  authorization: `Bearer ${KEY}`,
  'content-type': 'application/json',
  'x-request-id': 'request-1',
};

export function chatBody(model: string, stream: boolean): Buffer {
  return Buffer.from(JSON.stringify({ model, ...(stream ? { stream } : {}), messages: [{ role: 'user' }] }));
}
