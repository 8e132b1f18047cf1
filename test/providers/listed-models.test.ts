import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import type { ProviderAccount } from '../../src/config/snapshot.js';
import { Secret } from '../../src/observability/secret.js';
import { createListedModels, type ListedModels, listByHttp } from '../../src/providers/listed-models.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';
import { createTestPool } from './credentials/sample-parts.js';

function account(name: string, baseUrl: string, kind = 'openai'): ProviderAccount {
  const credentials = [{ secret: new Secret(`${name}-key-0123456789`), weight: 1 }];
  return { name, kind, baseUrl, credentials, headers: { 'x-own': 'yes' }, apiVersion: null, probeMs: null };
}

interface Provider {
  readonly url: string;
  readonly seen: IncomingMessage[];
}

type Test = { teardown(action: () => void): void };

async function startProvider(t: Test, answer: (response: ServerResponse, nth: number) => void): Promise<Provider> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(response, seen.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen };
}

function start(t: Test, accounts: readonly ProviderAccount[], timeoutMs = 5_000): ListedModels {
  const { pool } = createTestPool({ kinds: PROVIDER_KINDS }).keeper;
  const listed = createListedModels(accounts, {
    kinds: PROVIDER_KINDS,
    credentials: pool,
    get: listByHttp,
    random: () => 0,
    everyMs: 10,
    timeoutMs,
  });
  t.teardown(() => listed.stop());
  return listed;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const ids = (listed: ListedModels, provider: string): readonly string[] => listed.of(provider).map(({ id }) => id);

const list =
  (...names: readonly string[]) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ data: names.map((id) => ({ id })) }));
  };

t.test('lists are fetched, with what each dialect needs', async (t) => {
  const openai = await startProvider(t, list('gpt-5'));
  const anthropic = await startProvider(t, list('claude-x'));
  const listed = start(t, [account('o', openai.url), account('a', anthropic.url, 'anthropic')]);
  t.same(listed.of('o'), [], 'nothing before the first answer');
  await until(() => listed.of('o').length + listed.of('a').length === 2);
  t.same([ids(listed, 'o'), ids(listed, 'a'), ids(listed, 'x')], [['gpt-5'], ['claude-x'], []]);
  const [first] = openai.seen;
  t.match(first, { method: 'GET', url: '/v1/models' });
  t.match(first?.headers, { authorization: 'Bearer o-key-0123456789', 'x-own': 'yes', accept: 'application/json' });
  t.equal(anthropic.seen[0]?.url, '/v1/models?limit=1000');
  t.match(anthropic.seen[0]?.headers, { 'x-api-key': 'a-key-0123456789', 'anthropic-version': '2023-06-01' });
});

t.test('a list that cannot be had leaves the one before', async (t) => {
  const answers: readonly ((response: ServerResponse) => void)[] = [
    list('first'),
    (response) => response.writeHead(500).end('{"data":[{"id":"no"}]}'),
    (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    (response) => response.writeHead(200).end('no JSON'),
    (response) => response.writeHead(200).end('{"data":[]}'),
    (response) => response.destroy(),
    (response) => response.writeHead(200).end(`{"data":[{"id":"no"}],"x":"${'y'.repeat(2 * 1024 * 1024)}"}`),
    (response) => response.writeHead(200).write('{"data":[{"id":"no"}'),
  ];
  const provider = await startProvider(t, (response, nth) => (answers[nth - 1] ?? list('last'))(response));
  const listed = start(t, [account('o', provider.url)], 300);
  const seen: string[] = [];
  await until(() => {
    const now = ids(listed, 'o').join();
    if (seen.at(-1) !== now) seen.push(now);
    return now === 'last';
  });
  t.same(seen, ['', 'first', 'last']);
  t.notOk(
    provider.seen.some(({ url }) => url === '/elsewhere'),
    'no redirect is followed with the credential',
  );
  const kept = listed.of('o');
  const asked = provider.seen.length;
  await until(() => provider.seen.length > asked + 1);
  t.not(listed.of('o').length, 0);
  t.same(listed.of('o'), kept);
});

t.test('who is asked', async (t) => {
  const provider = await startProvider(t, list('x'));
  const bare = { ...account('bare', provider.url), credentials: [] };
  const listed = start(t, [
    bare,
    account('unknown', provider.url, 'no-such-kind'),
    account('azure', provider.url, 'azure-openai'),
    account('o', provider.url),
  ]);
  await until(() => listed.of('o').length > 0);
  t.ok(provider.seen.every(({ headers }) => headers.authorization === 'Bearer o-key-0123456789'));
  const other = await startProvider(t, list('y'));
  const kept = listed.of('o');
  listed.use([account('o', provider.url), account('p', other.url)]);
  t.equal(listed.of('o')[0]?.id, kept[0]?.id, 'kept over a reload');
  await until(() => listed.of('p').length > 0);
  listed.use([account('o', other.url)]);
  t.same([ids(listed, 'o'), ids(listed, 'p')], [[], []], 'another place, another list');
  await until(() => ids(listed, 'o').includes('y'));
  listed.stop();
  t.same(listed.of('o'), []);
});
