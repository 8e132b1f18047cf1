/** One client, providers of four dialects: what it reads, and what is booked, when the first of them fails. */
import t, { type Test } from 'tap';
import {
  anthropicOverloaded,
  anthropicStream,
  bedrockException,
  bedrockStream,
  bedrockWhole,
  geminiLimited,
  geminiStream,
  geminiWhole,
  INPUT,
} from './dialect-answers.js';
import { ask, CLIENTS, type Client, readStream, textOf } from './dialect-clients.js';
import {
  ACCESS_KEY_ID,
  booked,
  BEDROCK_EXCEPTIONS as EXCEPTIONS,
  type FourProviders,
  type Name,
  SECRETS,
  startFour,
} from './four-providers.js';
import type { Gateway } from './harness.js';
import type { Script } from './scripted.js';

const WORDS = ['one ', 'two ', 'three'];
const TEXT = WORDS.join('');

/** Models by the targets they are tried at; each with names of its own, so that no failure decides a later test. */
const CHAINS: Readonly<Record<string, readonly Name[]>> = {
  ...Object.fromEntries(
    CLIENTS.flatMap((client): [string, readonly Name[]][] => [
      [`unavailable-${client}`, ['openai', 'anthropic']],
      [`overloaded-${client}`, ['anthropic', 'gemini']],
      [`whole-${client}`, ['openai', 'gemini']],
    ]),
  ),
  ...Object.fromEntries(EXCEPTIONS.map((type) => [`early-${type}`, ['bedrock', 'anthropic']])),
  limited: ['gemini', 'bedrock'],
  isolated: ['openai', 'anthropic', 'gemini', 'bedrock', 'openai'],
  'garbage-first': ['anthropic', 'openai'],
};

let gateway: Gateway;
let providers: FourProviders['providers'];

t.before(async () => {
  const models = Object.entries(CHAINS).map(([model, chain]) => [
    model,
    { targets: [...new Set(chain)].map((name) => `${name}/${model}`), retry_budget: 'off' },
  ]);
  ({ gateway, providers } = await startFour(Object.fromEntries(models)));
});

const UNAVAILABLE: Script = { status: 503, chunks: ['{"error":{"message":"busy","type":"server_error"}}'] };

interface Served {
  readonly client: Client;
  readonly model: string;
  readonly first: readonly [Name, Script];
  readonly second: readonly [Name, Script];
  /** `answered_model`, where the dialect names it. */
  readonly answered: string | null;
  readonly reason: string;
}

/** The first target fails, the second answers with `WORDS`. */
async function checkStream(t: Test, { client, model, first, second, answered, reason }: Served): Promise<void> {
  providers[first[0]].queue(first[1]);
  providers[second[0]].queue(second[1]);
  const answer = await ask(gateway, client, model, { stream: true });
  t.equal(answer.status, 200, answer.text);
  const expected = { text: TEXT, ended: true, error: undefined, usage: [INPUT, WORDS.length] };
  t.match(readStream(client, answer.text), expected, answer.text);
  t.ok(answer.complete);
  t.match(answer.headers, {
    'x-tollgate-provider': second[0],
    'x-tollgate-model': model,
    'x-tollgate-attempts': '2',
    'content-type': /^text\/event-stream/,
  });
  const record = await booked(gateway, answer.headers['x-request-id']);
  t.match(record, {
    target: `${second[0]}/${model}`,
    answered_model: answered,
    status: 200,
    code: null,
    stream: true,
    usage: { input: INPUT, output: WORDS.length },
    usage_source: 'provider',
    attempts: [
      { target: `${first[0]}/${model}`, outcome: 'error', reason },
      { target: `${second[0]}/${model}`, outcome: 'success', status: 200, reason: null },
    ],
  });
}

for (const client of CLIENTS) {
  t.test(`openai 503, then Anthropic, for a client of ${client}`, (t) =>
    checkStream(t, {
      client,
      model: `unavailable-${client}`,
      first: ['openai', UNAVAILABLE],
      second: ['anthropic', anthropicStream(WORDS)],
      answered: 'claude-served',
      reason: '503',
    }),
  );

  t.test(`trap 40: overloaded_error in a 200 of Anthropic's, then Gemini, for a client of ${client}`, (t) =>
    checkStream(t, {
      client,
      model: `overloaded-${client}`,
      first: ['anthropic', anthropicOverloaded()],
      second: ['gemini', geminiStream(WORDS)],
      answered: 'gemini-served',
      reason: 'error_event',
    }),
  );
}

t.test('every exception of Bedrock’s before the first word is the next target’s chance', async (t) => {
  for (const type of EXCEPTIONS) {
    const [start = Buffer.alloc(0)] = bedrockStream(WORDS).chunks;
    await checkStream(t, {
      client: 'chat',
      model: `early-${type}`,
      first: ['bedrock', { ...bedrockStream([]), chunks: [start, bedrockException(type, 'it broke')] }],
      second: ['anthropic', anthropicStream(WORDS)],
      answered: 'claude-served',
      reason: 'error_event',
    });
  }
});

t.test('a limit of Google’s, told in the body, puts the target aside for as long as it says', async (t) => {
  await checkStream(t, {
    client: 'chat',
    model: 'limited',
    first: ['gemini', geminiLimited(37)],
    second: ['bedrock', bedrockStream(WORDS)],
    answered: null,
    reason: '429',
  });
});

t.test('whole answers of another dialect, after a failure', async (t) => {
  for (const client of CLIENTS) {
    providers.openai.queue(UNAVAILABLE);
    providers.gemini.queue(geminiWhole(TEXT));
    const answer = await ask(gateway, client, `whole-${client}`, { stream: false });
    t.equal(textOf(client, answer.text), TEXT, client);
    if (client !== 'gemini') t.equal(answer.headers['content-length'], String(answer.body.length));
    t.match(answer.headers, { 'x-tollgate-provider': 'gemini', 'x-tollgate-attempts': '2' });
    const record = await booked(gateway, answer.headers['x-request-id']);
    const usage = { input: INPUT, output: 3 };
    t.match(record, { target: `gemini/whole-${client}`, answered_model: 'gemini-served', usage });
  }
});

/** Names of what may carry a credential. */
const PROOFS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'x-amz-date', 'x-amz-content-sha256'];

t.test('case 23: each provider sees its own credential, path and headers only', async (t) => {
  const before = Object.fromEntries(Object.entries(providers).map(([name, each]) => [name, each.captures.length]));
  providers.openai.queue(UNAVAILABLE);
  providers.anthropic.queue(UNAVAILABLE);
  providers.gemini.queue(UNAVAILABLE);
  providers.bedrock.queue(bedrockWhole(TEXT));
  const answer = await ask(gateway, 'chat', 'isolated', {
    stream: false,
    headers: {
      'anthropic-beta': 'context-1m-2025-08-07',
      'anthropic-version': '2023-06-01',
      'openai-beta': 'assistants=v2',
      'openai-organization': 'org-of-the-client',
      'x-goog-user-project': 'of-the-client',
      'x-amz-security-token': 'of-the-client',
      cookie: 'session=1',
    },
  });
  t.equal(answer.status, 200, answer.text);
  t.equal(answer.headers['x-tollgate-attempts'], '4');
  const seen = Object.fromEntries(
    Object.entries(providers).map(([name, each]) => [name, each.captures.slice(before[name])]),
  );
  const own: Readonly<Record<Name, readonly [path: string, proofs: readonly string[], others: readonly string[]]>> = {
    openai: ['/v1/chat/completions', ['authorization'], ['anthropic-beta', 'anthropic-version']],
    anthropic: ['/v1/messages', ['x-api-key'], ['openai-beta']],
    gemini: ['/v1beta/models/isolated:generateContent', ['x-goog-api-key'], ['openai-beta', 'anthropic-beta']],
    bedrock: ['/model/isolated/converse', ['authorization', 'x-amz-date'], ['openai-beta', 'anthropic-version']],
  };
  for (const [name, [path, proofs, foreign]] of Object.entries(own)) {
    const [capture, ...more] = seen[name] ?? [];
    t.equal(more.length, 0, `${name} is asked once`);
    t.equal(capture?.path, path);
    const headers: Readonly<Record<string, string>> = capture?.headers ?? {};
    const proven = PROOFS.filter((header) => headers[header] !== undefined && header !== 'x-amz-content-sha256');
    t.same(proven, proofs, name);
    for (const header of [...foreign, 'openai-organization', 'x-goog-user-project', 'x-amz-security-token', 'cookie']) {
      t.equal(headers[header], undefined, `${name} gets no ${header}`);
    }
    for (const header of Object.keys(headers)) t.notMatch(header, /^x-tollgate|^x-envoy/, name);
    const everything = JSON.stringify([capture?.rawHeaders, capture?.path, capture?.body.toString()]);
    for (const [other, secret] of Object.entries({ ...SECRETS, gateway: gateway.key })) {
      // A signature proves the key without showing it.
      const shown = other === name && name !== 'bedrock';
      t.equal(everything.includes(secret), shown, `${other}'s key at ${name}`);
    }
  }
  const [, , , bedrockCapture] = Object.values(seen).map((captures) => captures[0]);
  t.match(bedrockCapture?.headers['authorization'], new RegExp(`^AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/`));
});

t.test('a whole answer beside an error in its place', async (t) => {
  // Anthropic's `{"type":"error"}` with a 200: no answer, so the next target's.
  providers.anthropic.queue({
    chunks: ['{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'],
  });
  const answer = await ask(gateway, 'chat', 'garbage-first', { stream: false });
  t.equal(answer.status, 200);
  const record = await gateway.record(answer.headers['x-request-id'] ?? '');
  t.match(record.attempts, [{ reason: 'error_event', outcome: 'error' }, { outcome: 'success' }]);
});

t.test('nothing is left open', async (t) => {
  await gateway.settled();
  t.same(gateway.unsettled(), []);
  for (const secret of Object.values(SECRETS)) t.notOk(gateway.logs().includes(secret));
});
