/** Keys and tenants, through Envoy: cases of docs/reliability.md. */
import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { platform } from 'node:os';
import t from 'tap';
import { generateKey } from '../../../src/policy/keys/key-format.js';
import { exchange, type Received } from '../client.js';
import { type Gateway, startGateway } from '../harness.js';
import { type Scripted, startScripted } from '../scripted.js';

const CHAT = '/v1/chat/completions';
const BODY = { model: 'p/x', messages: [{ role: 'user', content: 'hi' }] };
const A = 'sk-twin-0123456789ab-of-tenant-a';
const B = 'sk-twin-0123456789ab-of-tenant-b';
/** Elsewhere only 127.0.0.1 is there without asking for it. */
const skip = platform() !== 'linux' && 'needs the whole loopback network';

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  gateway = await startGateway(t, {
    config: {
      providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl } },
      keys: [
        { id: 'a', secret: A, labels: { tenant: 'a' } },
        { id: 'b', secret: B, labels: { tenant: 'b' } },
      ],
    },
  });
});

const agents = new Map<string, Agent>();
t.teardown(() => {
  for (const agent of agents.values()) agent.destroy();
});

/** Asks from an address of its own: bad keys are counted by source. */
function ask(source: string, headers: Readonly<Record<string, string | readonly string[]>>): Promise<Received> {
  const options = platform() === 'linux' ? { localAddress: source } : {};
  const agent = agents.get(source) ?? new Agent({ keepAlive: true, maxSockets: 50, ...options });
  agents.set(source, agent);
  return exchange(gateway.url + CHAT, { headers, body: JSON.stringify(BODY), agent });
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

function codeOf({ text }: Received): string {
  return (JSON.parse(text) as { error: { code: string } }).error.code;
}

t.test('case 1: no key', async (t) => {
  const answer = await ask('127.0.1.1', {});
  t.equal(answer.status, 401);
  t.equal(codeOf(answer), 'invalid_api_key');
  t.equal(answer.headers['www-authenticate'], 'Bearer');
  t.ok(answer.body.length < 512, `${answer.body.length} bytes`);
  t.equal(provider.begun, 0, 'no provider was asked');
  t.same(gateway.ledger(), [], 'nothing is in the ledger');
});

t.test('case 2, 7: whatever is wrong with a key, the answer is the same to the byte', async (t) => {
  const { body } = await ask('127.0.1.2', {});
  const hash = createHash('sha256').update(A).digest('hex');
  const wrong = [generateKey().text, 'x'.repeat(32), `${A}x`, A.slice(0, -1), hash, `sha256:${hash}`];
  for (const key of wrong) {
    const answer = await ask('127.0.1.2', bearer(key));
    t.equal(answer.status, 401, key);
    t.same(answer.body, body, key);
  }
  t.equal(provider.begun, 0);
});

t.test('case 4: a key works to the last millisecond before it expires, and not in the first one after', async (t) => {
  const expires = Date.now() + 1_500;
  const response = await fetch(`${gateway.adminUrl}/api/v1/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ expires: new Date(expires).toISOString() }),
  });
  const { secret } = (await response.json()) as { secret: string };
  const asked: { readonly sent: number; readonly received: number; readonly status: number; readonly code: string }[] =
    [];
  while ((asked.at(-1)?.sent ?? 0) < expires + 50 && asked.filter(({ status }) => status === 401).length < 10) {
    const sent = Date.now();
    const answer = await ask('127.0.1.4', bearer(secret));
    const code = answer.status === 200 ? '' : codeOf(answer);
    asked.push({ sent, received: Date.now(), status: answer.status, code });
  }
  const before = asked.filter(({ received }) => received < expires);
  const after = asked.filter(({ sent }) => sent >= expires);
  t.same([...new Set(before.map(({ status }) => status))], [200], `${before.length} requests before`);
  t.same([...new Set(after.map(({ code }) => code))], ['invalid_api_key'], `${after.length} requests after`);
});

t.test('case 5: two keys are ambiguous, whichever comes first', async (t) => {
  const sent = [
    { authorization: [`Bearer ${A}`, `Bearer ${B}`] },
    { authorization: [`Bearer ${A}`, `Bearer ${A}`] },
    { ...bearer(A), 'x-api-key': B },
    { ...bearer(generateKey().text), 'x-api-key': A },
    { 'x-api-key': [A, B] },
  ];
  const seen = provider.begun;
  for (const headers of sent) {
    const answer = await ask('127.0.1.5', headers);
    t.equal(answer.status, 400, JSON.stringify(Object.keys(headers)));
    t.equal(codeOf(answer), 'ambiguous_credentials');
  }
  t.equal(provider.begun, seen);
});

t.test('case 8: keys that begin alike are different tenants, the first time and later', async (t) => {
  t.equal(A.slice(0, 20), B.slice(0, 20));
  for (const [secret, id] of [A, B, B, A, A, B].map((key) => [key, key === A ? 'a' : 'b'] as const)) {
    const answer = await ask('127.0.1.8', bearer(secret));
    t.match(await gateway.record(answer.headers['x-request-id'] ?? ''), { key: id, labels: { tenant: id } });
  }
});

/** Bytes in place of a key, and what Envoy or the service says to them. */
const ODD: readonly (readonly [name: string, bytes: Buffer, status: number])[] = [
  ['a quote', Buffer.from("' or '1'='1"), 401],
  ['per cent', Buffer.from('%00%s%n'), 401],
  ['NUL', Buffer.from('sk-\0-key-with-a-zero'), 400],
  ['a line end', Buffer.from(`sk-tg-abc\r\n{"level":"info"}`), 400],
  ['a sign that folds to k', Buffer.from('s\u212a-tg-0123456789'), 401],
  ['64 KiB', Buffer.alloc(65_536, 'k'), 431],
  ['half a pair', Buffer.from([0x73, 0x6b, 0xed, 0xa0, 0x80, 0x2d, 0x78]), 401],
  ['a name that objects have', Buffer.from('__proto__'), 401],
  ['another one', Buffer.from('constructor'), 401],
  ['colours', Buffer.from('sk-\x1b[31mred'), 400],
];

/** The status of a request that no HTTP library would send. */
async function rawStatus(key: Buffer, source: string): Promise<number> {
  const { hostname, port } = new URL(gateway.url);
  const local = platform() === 'linux' ? { localAddress: source } : {};
  const socket = connect({ host: hostname, port: Number(port), ...local });
  const body = JSON.stringify(BODY);
  const head = `POST ${CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer `;
  const rest = `\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  socket.write(Buffer.concat([Buffer.from(head), key, Buffer.from(rest)]));
  // Envoy closes such a connection late, or under what it has not read: its first words are enough.
  const status = await new Promise<string>((resolve) => {
    let words = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      words += chunk.toString('latin1');
      if (words.length > 12) resolve(words.slice(9, 12));
    });
    socket.once('close', () => resolve(words.slice(9, 12)));
  });
  socket.destroy();
  return Number(status);
}

t.test('case 9: odd bytes in place of a key', async (t) => {
  const seen = provider.begun;
  for (const [name, key, status] of ODD) t.equal(await rawStatus(key, '127.0.1.9'), status, name);
  t.equal(provider.begun, seen, 'none reached a provider');
  await gateway.metrics();
  const logs = gateway.logs();
  for (const word of ['\u212a', '\u001b', '__proto__', 'constructor', '{"level":"info"}', "1'='1", 'kkkkkkkk'])
    t.notOk(logs.includes(word), `${JSON.stringify(word)} is not in the logs`);
  const lines = logs.split('\n').filter((line) => line.startsWith('{'));
  for (const line of lines) JSON.parse(line);
  const told = lines.filter((line) => line.includes('"status":401'));
  t.ok(told.length >= ODD.filter(([, , status]) => status === 401).length, 'each refusal is a line');
});

t.test('case 10: a flood of bad keys', { skip }, async (t) => {
  const quiet = await timesOf(100);
  const began = performance.now();
  let flooding = true;
  const flood = Promise.all(
    Array.from({ length: 20 }, async () => {
      const statuses: number[] = [];
      for (let sent = 0; sent < 50; sent += 1)
        statuses.push((await ask('127.0.1.10', bearer(generateKey().text))).status);
      return statuses;
    }),
  ).finally(() => {
    flooding = false;
  });
  const meanwhile: number[] = [];
  while (flooding) meanwhile.push(...(await timesOf(1)));
  const statuses = (await flood).flat();
  const windows = Math.ceil((performance.now() - began) / 10_000);
  const refused = statuses.filter((status) => status === 401).length;
  t.ok(refused >= 20 && refused <= 20 * windows, `${refused} of 1,000 answered 401 in ${windows} windows of 10 s`);
  t.equal(statuses.filter((status) => status === 429).length, 1_000 - refused, 'the others 429');
  t.equal((await ask('127.0.1.12', bearer(generateKey().text))).status, 401, 'another source has a count of its own');
  t.equal((await ask('127.0.1.10', bearer(A))).status, 200, 'a valid key passes, also from there');
  t.comment(`valid keys elsewhere, p99: ${quiet.at(-2)} ms, ${meanwhile.sort((a, b) => a - b).at(-2)} ms in the flood`);
});

/** Milliseconds of requests with a valid key from another address, sorted. Throws when one is refused. */
async function timesOf(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const began = performance.now();
    const { status } = await ask('127.0.1.11', bearer(B));
    if (status !== 200) throw new Error(`a valid key was answered ${status}`);
    times.push(Math.round(performance.now() - began));
  }
  return times.sort((a, b) => a - b);
}

t.test('case 16: what a request says of somebody else is not believed', async (t) => {
  const body = { ...BODY, user: 'b', metadata: { tenant: 'b' } };
  const answer = await gateway.post(CHAT, body, {
    ...bearer(A),
    'x-tenant-id': 'b',
    'x-tollgate-metadata': '{"tenant":"b","key":"b"}',
  });
  t.equal(answer.status, 200);
  const record = await gateway.record(answer.headers['x-request-id'] ?? '');
  t.match(record, { key: 'a', labels: { tenant: 'a' }, user: 'b' });
  const rows = await gateway.usage('key,tenant');
  t.ok(
    rows.every((row) => row['key'] === row['tenant'] || row['tenant'] === ''),
    JSON.stringify(rows),
  );
});
