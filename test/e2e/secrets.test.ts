import t from 'tap';
import type { Capture } from '../../src/mock/capture.js';
import { exchange, type Received } from './client.js';
import { type Gateway, KEY, startGateway } from './harness.js';
import { type Script, type Scripted, startScripted, streamScript } from './scripted.js';

const PATH = '/v1/chat/completions';
const OPENAI_KEY = 'sk-prov-openai-AAAA1111BBBB2222';
const AZURE_KEY = 'azure-CCCC3333DDDD4444EEEE5555';
const PROMPT = 'the prompt that must stay between app and provider';
const ANSWER = 'the answer that must stay there too';

let gateway: Gateway;
let provider: Scripted;
const answers: Received[] = [];

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  gateway = await startGateway(t, {
    config: {
      providers: {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the config, not of JavaScript
        plain: { kind: 'openai', base_url: provider.baseUrl, credentials: '${PLAIN_KEY}' },
        azure: { kind: 'azure-openai', base_url: provider.baseUrl, credentials: AZURE_KEY },
      },
    },
    env: { PLAIN_KEY: OPENAI_KEY },
  });
});

async function ask(model: string, more: object = {}, headers: Record<string, string> = {}): Promise<Received> {
  const body = { model, messages: [{ role: 'user', content: PROMPT }], ...more };
  const answer = await gateway.post(PATH, body, headers);
  answers.push(answer);
  return answer;
}

/** A provider that gives back all that it was sent, in headers and body. */
function gossip(capture: Capture): Script {
  const credential = capture.headers['authorization'] ?? capture.headers['api-key'] ?? '';
  return {
    headers: {
      'x-echo': credential,
      'x-echo-bare': credential.replace('Bearer ', ''),
      'set-cookie': 'session=1',
      'x-kept': 'yes',
    },
    chunks: [
      JSON.stringify({
        id: 'c',
        choices: [{ index: 0, message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' }],
      }),
    ],
  };
}

const blames =
  (status: number): ((capture: Capture) => Script) =>
  (capture) => ({
    status,
    chunks: [
      JSON.stringify({
        error: {
          message: `Incorrect API key provided: ${capture.headers['authorization']?.slice(7) ?? capture.headers['api-key']}.`,
          type: 'invalid_request_error',
          code: 'invalid_api_key',
        },
      }),
    ],
  });

t.test('each provider gets its own credential and nothing of ours', async (t) => {
  for (const [model, header, value] of [
    ['plain/a', 'authorization', `Bearer ${OPENAI_KEY}`],
    ['azure/b', 'api-key', AZURE_KEY],
  ] as const) {
    const sent = { cookie: 'a=b', 'x-forwarded-for': '1.2.3.4', 'x-app-secret': 'inner', 'openai-beta': 'kept' };
    t.equal((await ask(model, {}, { ...sent, 'x-tollgate-metadata': '{"feature":"chat"}' })).status, 200);
    const headers = provider.captures.at(-1)?.headers ?? {};
    t.equal(headers[header], value);
    t.equal(headers['openai-beta'], 'kept');
    const allowed = /^(host|:.*|content-type|content-length|accept|user-agent|openai-beta|authorization|api-key)$/;
    t.same(
      Object.keys(headers).filter((name) => !allowed.test(name)),
      [],
    );
    t.equal(headers[header === 'api-key' ? 'authorization' : 'api-key'], undefined);
  }
});

t.test('headers that steer the gateway do nothing when a client sends them', async (t) => {
  const steering = {
    'x-envoy-max-retries': '9',
    'x-envoy-upstream-rq-timeout-ms': '1',
    'x-envoy-upstream-rq-per-try-timeout-ms': '1',
    'x-envoy-retry-on': '5xx',
    'x-envoy-attempt-count': '7',
    'x-envoy-original-path': '/elsewhere',
    'x-tollgate-peek': '1',
    'x-tollgate-target': 'azure/b',
    'x-tollgate-decision': 'pass',
    'x-request-id': 'chosen-by-the-client',
  };
  const answer = await ask('plain/steered', {}, steering);
  t.equal(answer.status, 200);
  t.not(answer.headers['x-request-id'], 'chosen-by-the-client');
  t.equal(answer.headers['x-tollgate-attempts'], '1');
  const { headers = {}, path } = provider.captures.at(-1) ?? {};
  t.equal(path, PATH);
  t.same(
    Object.keys(headers).filter((name) => /^x-(envoy|tollgate|request-id|forwarded)/.test(name)),
    [],
  );
  const inside = Object.keys(answer.headers).filter((name) => /^x-(envoy|tollgate)/.test(name));
  t.same(inside.sort(), ['x-tollgate-attempts', 'x-tollgate-model', 'x-tollgate-provider']);
});

t.test('every header that can carry a key lets it in, and none goes on', async (t) => {
  for (const name of ['x-api-key', 'api-key', 'x-goog-api-key']) {
    const body = JSON.stringify({ model: 'plain/a', messages: [] });
    const answer = await exchange(gateway.url + PATH, { headers: { [name]: gateway.key }, body });
    answers.push(answer);
    t.equal(answer.status, 200, name);
    t.equal(provider.captures.at(-1)?.headers[name], undefined, name);
  }
});

t.test('a provider that repeats its credential does not reach the client with it', async (t) => {
  for (const provided of ['plain', 'azure']) {
    provider.queue(gossip);
    const answer = await ask(`${provided}/gossip`);
    t.equal(answer.status, 200);
    t.equal(answer.headers['x-kept'], 'yes');
    t.same(
      ['x-echo', 'x-echo-bare', 'set-cookie'].filter((name) => name in answer.headers),
      [],
    );
    for (const status of [401, 403, 400]) {
      // Two: a credential that was refused is not tried again, but a second attempt must not find another answer.
      provider.queue(blames(status));
      const refused = await ask(`${provided}/blames`);
      t.equal(refused.status, 502, `${provided} ${status}`);
      t.match(refused.text, /"provider_auth"/);
    }
  }
  provider.on('stream', streamScript('stream', ANSWER.split(' ')));
  t.match((await ask('plain/stream', { stream: true })).text, /\[DONE\]/);
});

t.test('a search of everything finds no secret', async (t) => {
  await exchange(gateway.url + PATH, { headers: { authorization: 'Bearer sk-wrong-key-0123456789' }, body: '{}' });
  await gateway.idle();
  const fromGateway = answers.map((answer) => `${answer.rawHeaders.join('\n')}\n${answer.text}`).join('\n');
  const toProvider = provider.captures
    .map((each) => `${each.path}\n${each.rawHeaders.join('\n')}\n${each.body}`)
    .join('\n');
  const kept = {
    logs: gateway.logs(),
    metrics: await gateway.metrics(),
    accessLog: JSON.stringify(gateway.accessLog()),
    ledger: JSON.stringify(gateway.ledger()),
    requests: JSON.stringify(await gateway.requests()),
    config: (await exchange(`${gateway.adminUrl}/api/v1/config`, { method: 'GET' })).text,
  };
  // The search means something only where the rest of the same text is found.
  t.ok(fromGateway.includes(ANSWER) && toProvider.includes(PROMPT) && toProvider.includes(OPENAI_KEY));
  for (const [place, text] of Object.entries(kept)) t.ok(text.length > 100, `there is something in ${place}`);
  for (const secret of [OPENAI_KEY, AZURE_KEY]) t.notOk(fromGateway.includes(secret), 'provider key in an answer');
  t.notOk(toProvider.includes(KEY), 'gateway key at the provider');
  for (const [place, text] of Object.entries(kept)) {
    for (const secret of [OPENAI_KEY, AZURE_KEY, KEY, 'sk-wrong-key', PROMPT, ANSWER]) {
      t.notOk(text.includes(secret), `${secret.slice(0, 12)} in ${place}`);
    }
  }
});
