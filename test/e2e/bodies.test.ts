import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { exchange, exchangeHttp2, opened, type Received } from './client.js';
import { type Gateway, KEY, startGateway } from './harness.js';
import { type Scripted, startScripted } from './scripted.js';

const MIB = 1024 * 1024;
const PATH = '/v1/chat/completions';
const HEADERS = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  gateway = await startGateway(t, {
    config: {
      gateway: { body_limit: '21MiB' },
      providers: { up: { kind: 'openai-compatible', base_url: provider.baseUrl }, mock: { kind: 'mock' } },
    },
  });
});

/** A chat body of about that many bytes, with everything that a parse and a print would change. */
function bodyOf(model: string, bytes: number): string {
  const odd = '"seed":12345678901234567890, "temperature":1.0,"vendor" : {"z":1,"a":[1e2,-0.0]}';
  return `{"messages":[{"role":"user","content":"${'é'.repeat(bytes / 2)}"}],${odd},\n "model":"${model}","x":null}`;
}

function codeOf(answer: Received): unknown {
  return (JSON.parse(answer.text) as { error: { code: unknown } }).error.code;
}

function* slices(body: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

for (const [name, bytes] of [
  ['10 KB', 10_000],
  ['2 MB', 2_000_000],
  ['20 MB', 20_000_000],
] as const) {
  t.test(`${name} passes, unchanged but for the model`, async (t) => {
    const model = `size-${bytes}`;
    const sent = bodyOf(`up/${model}`, bytes);
    const url = new URL(gateway.url + PATH);
    t.equal((await exchange(url, { headers: HEADERS, body: sent })).status, 200, 'HTTP/1.1');
    const chunked = await exchange(url, { headers: HEADERS, body: slices(Buffer.from(sent), 60_000) });
    t.equal(chunked.status, 200, 'HTTP/1.1, chunked');
    t.equal((await exchangeHttp2(url, { headers: HEADERS, body: sent })).status, 200, 'HTTP/2');
    const wanted = Buffer.from(bodyOf(model, bytes));
    const captures = provider.captures.filter((capture) => capture.model === model);
    t.equal(captures.length, 3);
    for (const capture of captures) {
      t.ok(capture.body.equals(wanted));
      t.equal(capture.headers['content-length'], String(wanted.length));
    }
  });
}

t.test('over the limit is 413 and never reaches a provider', async (t) => {
  const before = provider.begun;
  const body = Buffer.from(bodyOf('up/large', 22 * MIB));
  const url = new URL(gateway.url + PATH);
  for (const sent of [body, slices(body, 60_000)]) {
    const answer = await exchange(url, { headers: HEADERS, body: sent });
    t.equal(answer.status, 413);
    t.match(answer.headers['content-type'], /^application\/json/);
    t.equal(codeOf(answer), 'request_too_large');
  }
  const overHttp2 = await exchangeHttp2(url, { headers: HEADERS, body });
  t.ok(overHttp2.status === 413 || overHttp2.reset !== null || overHttp2.status === null, `${overHttp2.status}`);
  const line = await gateway.accessLine((each) => each['status'] === 413 && each['protocol'] === 'HTTP/2');
  t.equal(line['status'], 413);
  t.equal(provider.begun, before);
});

t.test('slow uploads pass, abandoned ones leave nothing behind', async (t) => {
  const model = 'slow-upload';
  const slow = await exchange(gateway.url + PATH, {
    headers: HEADERS,
    body: slices(Buffer.from(bodyOf(`up/${model}`, 4_000)), 7),
  });
  t.equal(slow.status, 200);
  t.ok(provider.captures.at(-1)?.body.equals(Buffer.from(bodyOf(model, 4_000))));

  await gateway.settled();
  const before = provider.begun;
  const holds = gateway.ledger().length;
  const uploads = Array.from({ length: 20 }, async () => {
    const leave = new AbortController();
    async function* half(): AsyncGenerator<Buffer> {
      yield Buffer.from(bodyOf('up/abandoned', 60_000)).subarray(0, 30_000);
      leave.abort();
    }
    const headers = { ...HEADERS, 'content-length': '60000' };
    await t.rejects(opened(gateway.url + PATH, { headers, body: half(), signal: leave.signal }));
  });
  await Promise.all(uploads);
  await gateway.idle();
  t.equal(provider.begun, before, 'nothing reached the provider');
  t.equal(gateway.ledger().length, holds, 'nothing was booked');
});

t.test('trap 38: compressed answers pass as they are and are metered', async (t) => {
  for (const stream of [false, true]) {
    const messages = [{ role: 'user', content: 'hello' }];
    const answer = await gateway.post(PATH, { model: 'mock/gzip', stream, messages });
    t.equal(answer.headers['content-encoding'], 'gzip');
    t.match(gunzipSync(answer.body).toString(), stream ? /\[DONE\]/ : /"usage"/);
    const record = await gateway.record(answer.headers['x-request-id'] ?? '');
    t.equal(record.usage_source, 'provider');
    t.ok((record.usage.output ?? 0) > 10);
  }
});

const deep = (levels: number) => `{"model":"up/x","d":${'['.repeat(levels)}${']'.repeat(levels)}}`;
const wide = (keys: number) =>
  `{"model":"up/x","w":{${Array.from({ length: keys }, (_, at) => `"k${at}":1`).join(',')}}}`;

const REFUSED: readonly (readonly [name: string, body: string | Buffer, status: number, code: string])[] = [
  ['model twice', '{"model":"up/x","model":"up/y"}', 400, 'duplicate_key'],
  ['model in two spellings', '{"model":"up/x","Model":"up/y"}', 400, 'duplicate_key'],
  ['model twice, once escaped', '{"model":"up/x","mod\\u0065l":"up/y"}', 400, 'duplicate_key'],
  ['too deep', deep(70), 400, 'json_too_deep'],
  ['too many keys', wide(100_001), 400, 'too_many_keys'],
  ['not JSON', 'model=up/x', 400, 'invalid_json'],
  ['cut JSON', '{"model":"up/x"', 400, 'invalid_json'],
  ['text after the end', '{"model":"up/x"}{}', 400, 'invalid_json'],
  ['not UTF-8', Buffer.from('{"model":"up/x","a":"\xff"}', 'latin1'), 400, 'invalid_json'],
  ['no model', '{"messages":[]}', 400, 'missing_model'],
  ['a number for a model', '{"model":5}', 400, 'missing_model'],
  ['empty', '', 400, 'invalid_json'],
];

t.test('what cannot be read is refused before a provider sees it', async (t) => {
  const before = provider.begun;
  for (const [name, body, status, code] of REFUSED) {
    const answer = await gateway.post(PATH, body);
    t.equal(answer.status, status, name);
    t.equal(codeOf(answer), code, name);
  }
  const good = '{"model":"up/x"}';
  const compressed = await gateway.post(PATH, good, { 'content-encoding': 'gzip' });
  t.equal(compressed.status, 415);
  t.equal(codeOf(compressed), 'unsupported_media_type');
  const two = await gateway.post(PATH, good, { 'x-api-key': 'another-key-0123456789' });
  t.equal(codeOf(two), 'ambiguous_credentials');
  const metadata = await gateway.post(PATH, good, { 'x-tollgate-metadata': '{"a":{"b":1}}' });
  t.equal(codeOf(metadata), 'invalid_metadata');
  t.equal(provider.begun, before);
  t.equal((await gateway.post(PATH, deep(60))).status, 200);
  t.equal((await gateway.post(PATH, wide(9_000))).status, 200);
});
