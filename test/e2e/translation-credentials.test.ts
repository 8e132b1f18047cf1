/** How the gateway proves to providers who it is, seen by the providers. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { decodeJwt } from 'jose';
import t from 'tap';
import type { Capture } from '../../src/mock/capture.js';
import { listen, shut } from '../../src/mock/listen.js';
import { readBody } from '../../src/mock/read-body.js';
import { eventually } from '../eventually.js';
import { exchange } from './client.js';
import { anthropicWhole, bedrockStream, bedrockWhole, geminiWhole } from './dialect-answers.js';
import { ask } from './dialect-clients.js';
import { type Gateway, startGateway } from './harness.js';
import { hello, type Script, type Scripted, startScripted } from './scripted.js';

const [MAIN, SPARE] = ['sk-main-0123456789abcdef', 'sk-spare-0123456789abcdef'];
const AWS = { access_key_id: 'AKIDEXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const SESSION = 'session-token-0123456789/+=';
const OWN = 'own-key-of-the-app-0123456789';

let gateway: Gateway;
let provider: Scripted;
let tokens: TokenServer;
const directory = mkdtempSync(join(tmpdir(), 'tg-secrets-'));
const secretFile = join(directory, 'key');

/** Google's token endpoint: counts, and gives tokens that live an hour. */
interface TokenServer {
  readonly url: string;
  readonly assertions: readonly string[];
}

async function startTokenServer(): Promise<TokenServer> {
  const assertions: string[] = [];
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(String(await readBody(request, 65_536)));
    assertions.push(form.get('assertion') ?? '');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: `ya29.token-${assertions.length}`, expires_in: 3600 }));
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  t.teardown(() => shut(server));
  return { url: `http://127.0.0.1:${port}/token`, assertions };
}

function serviceAccount(tokenUri: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({
    type: 'service_account',
    project_id: 'acme',
    client_email: 'gateway@acme.iam.gserviceaccount.com',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: tokenUri,
  });
}

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  tokens = await startTokenServer();
  const { origin } = new URL(provider.baseUrl);
  const base = { base_url: `${origin}/v1` };
  // Nearly every request draws the first key.
  const pool = { ...base, kind: 'openai', credentials: [{ secret: MAIN, weight: 1_000_000 }, { secret: SPARE }] };
  writeFileSync(secretFile, 'sk-old-0123456789abcdef');
  writeFileSync(join(directory, 'account.json'), serviceAccount(tokens.url));
  gateway = await startGateway(t, {
    config: {
      providers: {
        limited: pool,
        refused: pool,
        bedrock: { kind: 'bedrock', base_url: origin, region: 'eu-central-1', credentials: AWS },
        temporary: {
          kind: 'bedrock',
          base_url: origin,
          region: 'us-west-2',
          credentials: { ...AWS, session_token: SESSION },
        },
        failing: { ...base, kind: 'openai', credentials: 'sk-failing-0123456789' },
        vertex: {
          kind: 'vertex',
          base_url: origin,
          location: 'europe-west1',
          credentials: `file:${join(directory, 'account.json')}`,
        },
        filed: { ...base, kind: 'openai', credentials: `file:${secretFile}` },
        closed: { ...base, kind: 'openai', credentials: MAIN },
        open: { ...base, kind: 'anthropic', credentials: MAIN, bring_your_own: 'allowed' },
        only: { ...base, kind: 'openai', bring_your_own: 'required' },
      },
      models: {
        second: { targets: ['failing/x', 'bedrock/anthropic.claude-x-v1:0'] },
        either: { targets: ['only/x', 'closed/x'] },
      },
    },
  });
});

/** Says no to the first key as long as it is asked with it. */
function onlySpare(status: number): (capture: Capture) => Script {
  return (capture) =>
    capture.headers['authorization'] === `Bearer ${MAIN}`
      ? { status, chunks: ['{"error":{"message":"not with this key","code":"invalid_api_key"}}'] }
      : hello(capture);
}

for (const [name, status, reason] of [
  ['limited', 429, '429'],
  ['refused', 401, 'auth'],
] as const) {
  t.test(`${status} for one of two keys: the same target answers with the other`, async (t) => {
    provider.on(`pool-${name}`, onlySpare(status));
    const model = `${name}/pool-${name}`;
    const answer = await ask(gateway, 'chat', model, { stream: true });
    t.equal(answer.status, 200, answer.text);
    t.match(answer.headers, { 'x-tollgate-provider': name, 'x-tollgate-attempts': '2' });
    const record = await gateway.record(answer.headers['x-request-id'] ?? '');
    t.match(record.attempts, [
      { target: model, outcome: 'error', status, reason },
      { target: model, outcome: 'success', status: 200 },
    ]);
    t.equal(provider.captures.at(-1)?.headers['authorization'], `Bearer ${SPARE}`);
    for (let round = 0; round < 5; round += 1) {
      const next = await ask(gateway, 'chat', model, { stream: false });
      t.match(next.headers, { 'x-tollgate-attempts': '1' }, 'the other key comes first for a while');
      t.equal(provider.captures.at(-1)?.headers['authorization'], `Bearer ${SPARE}`);
    }
    const { text } = await gateway.get('/v1/models');
    t.notMatch(text, /sk-(?:main|spare)/);
  });
}

/** What AWS does: signs the same request again, from what arrived. */
async function checkSignature(capture: Capture | undefined, region: string): Promise<void> {
  const headers: Readonly<Record<string, string>> = capture?.headers ?? {};
  const signed = /SignedHeaders=([^,]+)/.exec(headers['authorization'] ?? '')?.[1]?.split(';') ?? [];
  const when = (headers['x-amz-date'] ?? '').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  t.ok(Math.abs(Date.parse(when) - Date.now()) < 60_000, 'signed now');
  for (const needed of ['host', 'x-amz-date']) t.ok(signed.includes(needed), `${needed} is signed`);
  const [path = '', search = ''] = (capture?.path ?? '').split('?', 2);
  const token = headers['x-amz-security-token'];
  const signer = new SignatureV4({
    service: 'bedrock',
    region,
    credentials: {
      accessKeyId: AWS.access_key_id,
      secretAccessKey: AWS.secret_access_key,
      ...(token === undefined ? {} : { sessionToken: token }),
    },
    sha256: Sha256,
    applyChecksum: signed.includes('x-amz-content-sha256'),
  });
  const again = await signer.sign(
    {
      method: capture?.method ?? '',
      protocol: 'http:',
      hostname: '127.0.0.1',
      path,
      query: Object.fromEntries(new URLSearchParams(search)),
      headers: Object.fromEntries(signed.map((name) => [name, headers[name] ?? ''])),
      body: capture?.body ?? Buffer.alloc(0),
    },
    { signingDate: new Date(when) },
  );
  t.equal(headers['authorization'], again.headers['authorization'], `${capture?.method} ${capture?.path}`);
}

t.test('AWS finds the signature right: first and second attempt, streams, raw paths', async (t) => {
  const model = 'bedrock/anthropic.claude-x-v1:0';
  provider.queue(bedrockWhole('hi'));
  t.equal((await ask(gateway, 'chat', model, { stream: false, more: { user: 'é€😀' } })).status, 200);
  await checkSignature(provider.captures.at(-1), 'eu-central-1');
  t.match(provider.captures.at(-1)?.path, '/model/anthropic.claude-x-v1%3A0/converse');
  provider.queue(bedrockStream(['hi']));
  t.equal((await ask(gateway, 'messages', 'temporary/amazon.nova', { stream: true })).status, 200);
  await checkSignature(provider.captures.at(-1), 'us-west-2');
  t.equal(provider.captures.at(-1)?.headers['x-amz-security-token'], SESSION);
  provider.queue({ status: 503 }, bedrockWhole('hi'));
  const second = await ask(gateway, 'chat', 'second', { stream: false });
  t.match(second.headers, { 'x-tollgate-provider': 'bedrock', 'x-tollgate-attempts': '2' });
  await checkSignature(provider.captures.at(-1), 'eu-central-1');
  for (const [method, path] of [
    ['POST', '/model/a/anything?x=1&b=%20a'],
    ['GET', '/guardrails?maxResults=5'],
    ['DELETE', '/guardrails/one'],
    ['PUT', '/guardrails/one'],
  ] as const) {
    const body = method === 'POST' || method === 'PUT' ? { body: '{"a":1}' } : {};
    const got = await raw(method, `/providers/bedrock${path}`, body);
    t.equal(got.status, 200, `${method} ${path}`);
    t.equal(provider.captures.at(-1)?.path, path);
    await checkSignature(provider.captures.at(-1), 'eu-central-1');
  }
  t.notOk(gateway.logs().includes(AWS.secret_access_key));
});

function raw(method: string, path: string, { body }: { readonly body?: string }): ReturnType<typeof exchange> {
  const headers = { authorization: `Bearer ${gateway.key}` };
  return exchange(gateway.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
}

t.test('a service account of Google’s: one token for all requests', async (t) => {
  const asked = Array.from({ length: 8 }, () => {
    provider.queue(geminiWhole('hi'));
    return ask(gateway, 'chat', 'vertex/gemini-x', { stream: false });
  });
  for (const answer of await Promise.all(asked)) t.equal(answer.status, 200, answer.text);
  t.equal(tokens.assertions.length, 1, 'fetched once, beside requests');
  t.match(decodeJwt(tokens.assertions[0] ?? ''), { iss: 'gateway@acme.iam.gserviceaccount.com', aud: tokens.url });
  const capture = provider.captures.at(-1);
  t.equal(capture?.headers['authorization'], 'Bearer ya29.token-1');
  const path = '/v1/projects/acme/locations/europe-west1/publishers/google/models/gemini-x:generateContent';
  t.equal(capture?.path, path);
  t.notMatch(gateway.logs(), /ya29|PRIVATE KEY/);
});

t.test('a secret in a file is taken anew when it changes', async () => {
  const seen = async (): Promise<string | undefined> => {
    await ask(gateway, 'chat', 'filed/x', { stream: false });
    return provider.captures.at(-1)?.headers['authorization'];
  };
  t.equal(await seen(), 'Bearer sk-old-0123456789abcdef');
  writeFileSync(`${secretFile}.new`, 'sk-new-0123456789abcdef\n');
  renameSync(`${secretFile}.new`, secretFile);
  await eventually('the new key', async () => (await seen()) === 'Bearer sk-new-0123456789abcdef');
});

t.test('keys that apps bring', async (t) => {
  const bring = (text: string) => ({ headers: { 'x-tollgate-provider-key': text }, stream: false });
  const before = provider.captures.length;
  const off = await ask(gateway, 'chat', 'closed/x', bring(`closed=${OWN}`));
  t.match(
    { status: off.status, body: JSON.parse(off.text) },
    { status: 403, body: { error: { code: 'model_not_allowed' } } },
  );
  const unknown = await ask(gateway, 'chat', 'closed/x', bring(`nobody=${OWN}`));
  t.equal(unknown.text, off.text.replaceAll('closed', 'nobody'), 'nothing is learned about who exists');
  const none = await ask(gateway, 'chat', 'only/x', { stream: false });
  const needed = { error: { code: 'unsupported_parameter', param: 'x-tollgate-provider-key' } };
  t.match({ status: none.status, body: JSON.parse(none.text) }, { status: 400, body: needed });
  t.equal((await ask(gateway, 'chat', 'open/x', bring('no form'))).status, 400);
  t.equal(provider.captures.length, before, 'nothing was sent');

  provider.queue(anthropicWhole('hi'));
  t.equal((await ask(gateway, 'chat', 'open/x', bring(`open=${OWN}, only=other-${OWN}`))).status, 200);
  t.equal(provider.captures.at(-1)?.headers['x-api-key'], OWN, 'in the way of the kind');
  provider.queue(anthropicWhole('hi'));
  t.equal((await ask(gateway, 'chat', 'open/x', { stream: false })).status, 200);
  t.equal(provider.captures.at(-1)?.headers['x-api-key'], MAIN, 'the configured one for who brings none');
  t.equal((await ask(gateway, 'chat', 'only/x', bring(`only=${OWN}`))).status, 200);
  t.equal(provider.captures.at(-1)?.headers['authorization'], `Bearer ${OWN}`);
  const other = await ask(gateway, 'chat', 'either', { stream: false });
  t.match(other.headers, { 'x-tollgate-provider': 'closed' }, 'a target that can be asked without');

  const seen = provider.captures.slice(before);
  for (const { rawHeaders } of seen) t.notOk(/x-tollgate|other-own/i.test(JSON.stringify(rawHeaders)));
  // Refused by the provider: its own key was wrong, and nothing is tried with ours.
  provider.queue({ status: 401, chunks: ['{"error":{"message":"Incorrect API key provided"}}'] });
  const wrong = await ask(gateway, 'chat', 'only/x', bring(`only=${OWN}`));
  t.equal(wrong.status, 502);
  await gateway.settled();
  const kept = gateway.logs() + JSON.stringify(gateway.accessLog()) + JSON.stringify(gateway.ledger());
  t.notOk(kept.includes(OWN), 'in no log and no ledger');
});
