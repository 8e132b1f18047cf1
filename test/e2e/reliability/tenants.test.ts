/** Two hundred tenants on one HTTP/2 connection. `TOLLGATE_TENANT_REQUESTS=100000` is the long form. */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import t from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import type { Capture } from '../../../src/mock/capture.js';
import { seededRandom } from '../../seeded-random.js';
import { startGateway } from '../harness.js';
import { type Script, startScripted } from '../scripted.js';

const TENANTS = 200;
const REQUESTS = Number(process.env['TOLLGATE_TENANT_REQUESTS'] ?? 2_000);
const AT_ONCE = 100;
const ABORTED = 0.1;
const WORDS = 8;
if (REQUESTS > 2_000) t.setTimeout(0);

const nameOf = (tenant: number): string => `tenant-${tenant}-`;
const secretOf = (tenant: number): string => `sk-the-key-of-tenant-${tenant}`;
/** Tokens that tell whose they are. */
const inputOf = (tenant: number): number => 1_000 + tenant;

/** Says the tenant's name in every event, and bills a number of tokens that is the tenant's own. */
function echo({ body }: Capture): Script {
  const { user, stream } = JSON.parse(body.toString()) as { user: string; stream: boolean };
  const usage = { prompt_tokens: inputOf(Number(user.split('-')[1])), completion_tokens: WORDS };
  const total = { ...usage, total_tokens: usage.prompt_tokens + WORDS };
  if (!stream) {
    const message = { role: 'assistant', content: user.repeat(WORDS) };
    return { chunks: [JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage: total })] };
  }
  const event = (choices: readonly object[], more: object = {}): string =>
    `data: ${JSON.stringify({ choices, ...more })}\n\n`;
  return {
    headers: { 'content-type': 'text/event-stream' },
    chunks: [
      ...Array.from({ length: WORDS }, () => event([{ index: 0, delta: { content: user }, finish_reason: null }])),
      event([{ index: 0, delta: {}, finish_reason: 'stop' }]),
      event([], { usage: total }),
      'data: [DONE]\n\n',
    ],
  };
}

interface Sent {
  readonly tenant: number;
  readonly stream: boolean;
  /** Milliseconds after which the client leaves, null = it stays. */
  readonly leavesAfter: number | null;
}

interface Got {
  readonly status: number;
  readonly text: string;
  readonly left: boolean;
}

function send(session: ClientHttp2Session, { tenant, stream, leavesAfter }: Sent): Promise<Got> {
  const request = session.request({
    ':method': 'POST',
    ':path': '/v1/chat/completions',
    authorization: `Bearer ${secretOf(tenant)}`,
    'content-type': 'application/json',
  });
  const messages = [{ role: 'user', content: nameOf(tenant) }];
  request.end(JSON.stringify({ model: 'p/echo', stream, user: nameOf(tenant), messages }));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let left = false;
    const timer = leavesAfter === null ? null : setTimeout(leave, leavesAfter);
    function leave(): void {
      left = true;
      request.close(constants.NGHTTP2_CANCEL);
    }
    request.on('response', (headers) => {
      status = headers[':status'] ?? 0;
    });
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.once('close', () => {
      if (timer) clearTimeout(timer);
      resolve({ status, text: Buffer.concat(chunks).toString(), left });
    });
  });
}

t.test(`case 17: ${REQUESTS} requests of ${TENANTS} tenants on one connection, some broken off`, async (t) => {
  const provider = await startScripted();
  t.teardown(() => provider.close());
  provider.on('echo', echo);
  const gateway = await startGateway(t, {
    config: {
      providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl } },
      keys: Array.from({ length: TENANTS }, (_, tenant) => ({
        id: nameOf(tenant),
        secret: secretOf(tenant),
        labels: { tenant: nameOf(tenant) },
      })),
    },
  });
  const session = connect(gateway.url);
  t.teardown(() => session.destroy());
  const random = seededRandom(17);
  const wrong: unknown[] = [];
  const finished = new Array<number>(TENANTS).fill(0);
  let begun = 0;
  let left = 0;
  const client = async (): Promise<void> => {
    while (begun < REQUESTS) {
      begun += 1;
      const tenant = Math.floor(random() * TENANTS);
      const stream = random() < 0.7;
      const got = await send(session, { tenant, stream, leavesAfter: random() < ABORTED ? random() * 60 : null });
      const names = new Set(got.text.match(/tenant-\d+-/g));
      names.delete(nameOf(tenant));
      if (names.size > 0) wrong.push({ tenant, names: [...names] });
      left += got.left ? 1 : 0;
      if (got.left) continue;
      finished[tenant] = (finished[tenant] ?? 0) + 1;
      if (got.status !== 200 || !got.text.includes(nameOf(tenant))) wrong.push({ tenant, got });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  t.same(wrong, [], 'every answer is its own tenant’s');
  await gateway.idle();
  await gateway.settled();

  const finals = gateway.ledger().filter((entry): entry is FinalEntry => entry.type !== 'hold');
  const crossed = finals.filter((entry) => {
    const tenant = Number(entry.key.split('-')[1]);
    const isOwn = entry.labels['tenant'] === entry.key && (entry.user === entry.key || entry.user === '');
    return !isOwn || (entry.usage_source === 'provider' && entry.usage.input !== inputOf(tenant));
  });
  t.same(crossed, [], `no token of ${finals.length} entries is booked to somebody else`);
  const short = finished.filter((count, tenant) => {
    const own = finals.filter(({ key, type }) => key === nameOf(tenant) && type === 'settle');
    const tokens = own.reduce((sum, { usage }) => sum + (usage.input ?? 0), 0);
    return own.length < count || tokens !== own.length * inputOf(tenant);
  });
  t.same(short, [], 'and none is missing');
  t.ok(finals.length >= provider.captures.length, 'each request that reached the provider has its entry');
  t.ok(left > REQUESTS * ABORTED * 0.1, `${left} clients left`);
});
