import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import type { ProviderAccount } from '../../src/config/snapshot.js';
import { Secret } from '../../src/observability/secret.js';
import { azureOpenai } from '../../src/providers/azure-openai.js';
import type { FailureKind } from '../../src/providers/health/health.js';
import { ollama } from '../../src/providers/ollama.js';
import { openai } from '../../src/providers/openai.js';
import { createProbe, type ProbeDependencies, probeByFetch } from '../../src/providers/probe.js';
import { createTestPool } from './credentials/sample-parts.js';

interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** A provider on a free port that answers with these statuses in turn, the last one for ever; 0 = never. */
async function startProvider(
  t: { teardown(action: () => void): void },
  statuses: readonly number[],
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const status = statuses[Math.min(seen.length, statuses.length - 1)] ?? 200;
    seen.push({ url: request.url ?? '', headers: request.headers });
    if (status === 302) response.setHeader('location', '/elsewhere');
    if (status > 0) response.writeHead(status, { 'content-type': 'application/json' }).end('{"data":[]}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function account(name: string, baseUrl: string, more: Partial<ProviderAccount> = {}): ProviderAccount {
  return { name, kind: 'ollama', baseUrl, credentials: [], headers: {}, apiVersion: null, probeMs: 20, ...more };
}

const KINDS = new Map([openai, azureOpenai, ollama].map((kind) => [kind.kind, kind]));

type Report = readonly [provider: string, failure: FailureKind | null];

/** The first reports, then no more probes. */
function reports(
  accounts: readonly ProviderAccount[],
  count: number,
  dependencies: Partial<ProbeDependencies> = {},
): Promise<readonly Report[]> {
  const all: Report[] = [];
  return new Promise((resolve) => {
    // The probe's own timers keep no process alive.
    const alive = setInterval(() => {}, 1_000);
    const report = (provider: string, failure: FailureKind | null): void => {
      all.push([provider, failure]);
      if (all.length < count) return;
      probe.stop();
      clearInterval(alive);
      resolve(all);
    };
    const probe = createProbe(accounts, {
      get: probeByFetch,
      credentials: createTestPool({ kinds: KINDS }).keeper.pool,
      random: () => 0,
      ...dependencies,
      report,
    });
  });
}

t.test('asks for the models with the credential', async (t) => {
  const { url, seen } = await startProvider(t, [200]);
  const credentials = [{ secret: new Secret('sk-probe'), weight: 1 }];
  const headers = { 'openai-organization': 'org-1' };
  const probed = account('one', `${url}/v1`, { kind: 'openai', credentials, headers });
  t.same(await reports([probed], 2), [
    ['one', null],
    ['one', null],
  ]);
  t.equal(seen[0]?.url, '/v1/models');
  t.equal(seen[0]?.headers.authorization, 'Bearer sk-probe');
  t.equal(seen[0]?.headers['openai-organization'], 'org-1');
  const azure = account('azure', url, { kind: 'azure-openai', credentials, apiVersion: '2024-10-21' });
  await reports([azure], 1);
  t.equal(seen.at(-1)?.url, '/openai/models?api-version=2024-10-21');
  t.equal(seen.at(-1)?.headers['api-key'], 'sk-probe');
});

t.test('without a token nothing is asked, and nothing is said of the provider', async (t) => {
  const { url, seen } = await startProvider(t, [200]);
  const source = { kind: 'entra-secret', tenantId: 't', clientId: 'c', scope: 's' } as const;
  const credentials = [{ secret: new Secret('canary'), weight: 1, source }];
  const waiting = account('waiting', url, { kind: 'azure-openai', credentials, probeMs: 1 });
  t.same(await reports([waiting, account('well', url)], 2), [
    ['well', null],
    ['well', null],
  ]);
  t.notOk(seen.some(({ headers }) => headers['api-key'] !== undefined || headers.authorization !== undefined));
});

t.test('what answers mean', async (t) => {
  // 302, 403, 404 and 429 prove nothing: they are not reported.
  const { url, seen } = await startProvider(t, [500, 302, 403, 404, 429, 401, 200]);
  t.same(await reports([account('one', url)], 3), [
    ['one', 'server'],
    ['one', 'auth'],
    ['one', null],
  ]);
  t.same(new Set(seen.map((request) => request.url)), new Set(['/models']), 'redirects are not followed');
  const silent = await startProvider(t, [0]);
  t.same(await reports([account('silent', silent.url)], 1, { timeoutMs: 50 }), [['silent', 'timeout']]);
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const refusing = account('gone', `http://127.0.0.1:${port}`);
  t.same(await reports([refusing], 1), [['gone', 'connect']]);
});

t.test('several accounts, each by its own timer; none without a period; none after the end', async (t) => {
  const { url, seen } = await startProvider(t, [200]);
  const never = account('never', `${url}/never`, { probeMs: null });
  const accounts = ['one', 'two'].map((name) => account(name, `${url}/${name}`));
  const all = await reports([...accounts, never], 6);
  t.same(new Set(all.map(([name]) => name)), new Set(['one', 'two']));
  const { length } = seen;
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.ok(seen.length <= length + 1, 'at most one was on its way');
  t.notOk(seen.some((request) => request.url.startsWith('/never')));
});

t.test('spread in time', async (t) => {
  const delays: number[] = [];
  const original = globalThis.setTimeout;
  t.teardown(() => {
    globalThis.setTimeout = original;
  });
  const record = (action: () => void, delay = 0): NodeJS.Timeout => {
    delays.push(delay);
    return original(action, 0);
  };
  globalThis.setTimeout = Object.assign(record, original) as typeof setTimeout;
  const randoms = [0.5, 0, 0.9999];
  const probed = account('one', 'http://x', { probeMs: 30_000 });
  const get = async () => ({ status: 200 });
  await reports([probed], 3, { get, random: () => randoms.shift() ?? 0 });
  t.same(delays.slice(0, 3).map(Math.round), [15_000, 27_000, 32_999]);
});
