import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { parseAccessLogLine, plainFacts } from '../../src/accounting/access-log.js';
import { amountsOf } from '../../src/accounting/amounts.js';
import { FollowedFile } from '../../src/accounting/follow-file.js';
import type { FinalEntry, HoldEntry } from '../../src/accounting/ledger/entry.js';
import { findEntries } from '../../src/accounting/ledger/find-entries.js';
import { lineId } from '../../src/accounting/line-id.js';
import { createPriceBook } from '../../src/accounting/prices.js';
import { Reconciler } from '../../src/accounting/reconcile/create-reconciler.js';
import type { Disagreement } from '../../src/accounting/reconcile/disagreement.js';
import { observePair } from '../../src/accounting/reconcile/observe-pair.js';
import { watchedEntry } from '../../src/accounting/reconcile/watched-entry.js';
import { entryFromLine } from '../../src/accounting/recovery/final-entry.js';
import { TokenWidths } from '../../src/accounting/recovery/token-widths.js';
import { parseAddress } from '../../src/config/address.js';
import { reopenLogs } from '../../src/envoy/envoy-admin.js';
import { createLogRotation } from '../../src/envoy/log-rotation.js';
import { providerOfCluster } from '../../src/envoy/names.js';
import { opened } from './client.js';
import { type Gateway, startGateway, type TestContext } from './harness.js';
import { hello, type Script, type Scripted, startScripted, streamScript } from './scripted.js';

const WORDS = Array.from({ length: 60 }, (_, at) => `word${at % 10} `);

function chat(model: string, stream: boolean): string {
  return JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hello' }] });
}

async function setUp(test: TestContext): Promise<{ gateway: Gateway; provider: Scripted; log: string }> {
  const provider = await startScripted();
  test.teardown(() => provider.close());
  const kind = { kind: 'openai-compatible', base_url: provider.baseUrl, credentials: 'sk-provider' };
  const config = { providers: { p: kind, q: kind }, models: { smart: { targets: ['p/first', 'q/second'] } } };
  const gateway = await startGateway(test, { config });
  return { gateway, provider, log: join(gateway.directory, 'data', 'envoy', 'access.jsonl') };
}

function finals(gateway: Gateway): FinalEntry[] {
  return gateway.ledger().flatMap((entry) => (entry.type === 'hold' ? [] : [entry]));
}

t.test('Envoy and the ledger tell the same about every kind of request, through a rotation', async (t) => {
  const { gateway, provider, log } = await setUp(t);
  const told: Disagreement[] = [];
  const pairs: string[] = [];
  const reconciler = new Reconciler({
    accessLogPath: log,
    providerOf: providerOfCluster,
    isOurs: () => true,
    find: (ids, since) => findEntries(join(gateway.directory, 'data', 'ledger'), ids, since),
    onDisagreement: (disagreement) => told.push(disagreement),
    onPair: ({ id }) => pairs.push(id),
    onProblem: (_message, error) => t.fail(String(error)),
    now: Date.now,
  });
  await reconciler.start();
  const admin = parseAddress(new URL(gateway.envoyAdminUrl).host);
  if (!admin) throw new Error('no admin');
  const rotation = createLogRotation({
    paths: [log],
    reopen: () => reopenLogs(admin),
    onProblem: (_message, error) => t.fail(String(error)),
    maxBytes: 1,
  });
  const every = new Set<string>();
  const follower = new FollowedFile({ path: log, since: 0, onLine: (line) => every.add(lineId(line) ?? '') });
  await follower.poll();
  t.teardown(() => Promise.all([reconciler.stop(), follower.close()]).then(() => undefined));

  const headers = { authorization: `Bearer ${gateway.key}` };
  const url = `${gateway.url}/v1/chat/completions`;
  const failing: Script = { status: 503, chunks: ['{"error":{"message":"overloaded"}}'] };
  const round = async () => {
    await gateway.post('/v1/chat/completions', chat('p/x', false));
    await gateway.post('/v1/chat/completions', chat('p/x', true));
    // The first target fails, the second answers; then both fail.
    const failures: readonly Script[] = [
      failing,
      { instead: 'reset' },
      ...[400, 401, 429, 500].map((status) => ({ status, chunks: ['{"error":{"message":"no"}}'] })),
    ];
    for (const failure of failures) {
      provider.on('first', failure);
      provider.on('second', hello);
      for (const stream of [true, false]) await gateway.post('/v1/chat/completions', chat('smart', stream));
      provider.on('second', failure);
      await gateway.post('/v1/chat/completions', chat('smart', true));
    }
    // Refused by us: unknown model, bad request, unknown key, unknown path.
    await gateway.post('/v1/chat/completions', chat('nobody', false));
    await gateway.post('/v1/chat/completions', '{');
    await gateway.post('/v1/chat/completions', chat('p/x', false), { authorization: 'Bearer sk-wrong-key-0123456789' });
    await gateway.post('/v1/nothing', '{}');
    // The client leaves: in the middle, and before the answer.
    provider.on('long', { ...streamScript('long', WORDS), hold: 8 });
    const long = await opened(url, { headers, body: chat('p/long', true) });
    await long.until('word5 ');
    long.abort();
    const leaving = new AbortController();
    provider.on('silent', { instead: 'hang' });
    const seen = provider.captures.length;
    const silent = opened(url, { headers, body: chat('p/silent', false), signal: leaving.signal }).catch(() => null);
    await provider.received(seen + 1);
    leaving.abort();
    await silent;
    // The provider breaks off in the middle.
    const { headers: type, chunks } = streamScript('broken', WORDS);
    provider.on('broken', { ...(type ? { headers: type } : {}), chunks: chunks.slice(0, 9), hold: 9, end: 'reset' });
    const broken = await opened(url, { headers, body: chat('p/broken', true) });
    await broken.until('word5 ');
    // The stream that was left waits there too.
    await provider.held(2);
    provider.release();
    await broken.finished();
  };
  await round();
  await gateway.idle();
  await gateway.settled();
  await follower.poll();
  t.same(await rotation.check(), [log]);
  t.ok(existsSync(`${log}.1`));
  await round();
  await gateway.idle();
  await gateway.settled();
  const ids = () =>
    finals(gateway)
      .filter(({ type }) => type !== 'refusal')
      .map(({ id }) => id);
  const fed = new Set<string>();
  for (let tries = 0; tries < 200 && (pairs.length < ids().length || ids().length === 0); tries += 1) {
    for (const entry of finals(gateway)) {
      if (!fed.has(entry.id)) reconciler.finished(entry);
      fed.add(entry.id);
    }
    await reconciler.check();
    await pause(20);
  }
  await reconciler.stop();
  const unpaired = finals(gateway).filter(({ id, type }) => type !== 'refusal' && !pairs.includes(id));
  t.same(unpaired, [], 'every request has its line');
  t.same([...pairs].sort(), ids().sort());
  const byId = new Map(finals(gateway).map((entry) => [entry.id, entry]));
  const wrong = told.map(({ kind, id, line, entry }) => ({
    kind,
    line,
    entry,
    code: byId.get(id)?.code,
    status: byId.get(id)?.status,
  }));
  t.same(wrong, []);
  await follower.poll();
  for (const id of ids()) t.ok(every.has(id), 'no line is lost in the rotation');
  await follower.close();
});

t.test('what nobody but Envoy saw is estimated from what was learned', async (t) => {
  const { gateway, provider, log } = await setUp(t);
  const widths = new TokenWidths();
  const lines = new Map<string, string>();
  const readLines = () => {
    for (const line of existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []) {
      const id = lineId(Buffer.from(line));
      if (id !== null) lines.set(id, line);
    }
  };
  const lengths = [10, 40, 25, 60, 15, 50, 33, 21, 44, 57];
  for (const [at, length] of lengths.entries()) provider.on(`m${at}`, streamScript('known', WORDS.slice(0, length)));
  const answers = new Map<string, readonly [received: number, sent: number]>();
  for (const at of lengths.keys()) {
    provider.on('known', streamScript('known', WORDS.slice(0, lengths[at])));
    const body = chat('p/known', true);
    const answer = await gateway.post('/v1/chat/completions', body);
    answers.set(answer.headers['x-request-id'] ?? '', [body.length, answer.body.length]);
  }
  await gateway.idle();
  await gateway.settled();
  await pause(100);
  readLines();
  for (const entry of finals(gateway)) {
    const line = parseAccessLogLine(lines.get(entry.id) ?? '');
    t.ok(line, 'a line');
    if (!line) continue;
    const bytes = [line.bytes_received, line.bytes_sent];
    t.same(bytes, answers.get(entry.id), 'body bytes as the client sent and got them, without headers and framing');
    t.ok(plainFacts(lines.get(entry.id) ?? ''), 'in the order that is read without parsing');
    observePair(widths, line, watchedEntry(entry));
  }
  // Streams that outlive the service.
  const truth = [12, 30, 45, 60];
  const headers = { authorization: `Bearer ${gateway.key}` };
  const streams = [];
  for (const length of truth) {
    provider.on('known', { ...streamScript('known', WORDS.slice(0, length)), hold: 6 });
    streams.push(await opened(`${gateway.url}/v1/chat/completions`, { headers, body: chat('p/known', true) }));
    await provider.held(streams.length);
  }
  await Promise.all(streams.map((stream) => stream.until('word3 ')));
  gateway.kill('service', 'SIGKILL');
  provider.release();
  for (const stream of streams) t.ok((await stream.finished()).complete);
  await gateway.ready();
  for (let tries = 0; tries < 500 && gateway.unsettled().length > 0; tries += 1) await gateway.metrics();
  readLines();
  const parts = {
    prices: createPriceBook({ overrides: [], priceIds: new Map() }),
    providerOf: providerOfCluster,
    now: Date.now,
    widths,
  };
  const told: number[] = [];
  const holds = gateway.ledger().filter((entry): entry is HoldEntry => entry.type === 'hold');
  for (const [at, stream] of streams.entries()) {
    const id = stream.headers['x-request-id'];
    const hold = holds.find((one) => one.id === id);
    const line = parseAccessLogLine(lines.get(id ?? '') ?? '');
    t.equal(finals(gateway).filter((entry) => entry.id === id).length, 1, 'one final entry');
    if (!hold || !line) throw new Error('no hold or no line');
    const tokens = amountsOf(entryFromLine({ ...hold, hides_usage: true }, line, parts)).output_tokens;
    const plain = amountsOf(entryFromLine(hold, line, parts)).output_tokens;
    t.comment(
      `${truth[at]} tokens: ${tokens} (${plain} without a word about the usage chunk), ${line.bytes_sent} bytes`,
    );
    t.ok(tokens >= (truth[at] ?? 0), 'never below');
    told.push(tokens);
  }
  const sum = truth.reduce((total, one) => total + one, 0);
  const estimated = told.reduce((total, one) => total + one, 0);
  t.ok(estimated <= sum * 1.05, `${estimated} for ${sum}`);
});
