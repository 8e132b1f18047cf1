/** One client, providers of four dialects: what it reads, and what is booked, when the first of them fails. */
import t, { type Test } from 'tap';
import type { Received } from './client.js';
import {
  anthropicEvent,
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
import { ask, CLIENTS, type Client, open, readStream, textOf } from './dialect-clients.js';
import { type Gateway, type RequestRecord, startGateway } from './harness.js';
import { type Script, type Scripted, startScripted } from './scripted.js';

const WORDS = ['one ', 'two ', 'three'];
const TEXT = WORDS.join('');

const SECRETS = {
  openai: 'sk-openai-0123456789abcdef',
  anthropic: 'sk-ant-0123456789abcdefgh',
  gemini: 'AIza-0123456789abcdefghij',
  bedrock: 'aws-secret-0123456789abcdef',
} as const;
const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';

/** Dollars per million tokens, input and output: nano-dollars per token are a thousand times that. */
const PRICES = { openai: [1, 2], anthropic: [30, 40], gemini: [500, 600], bedrock: [7000, 8000] } as const;
type Name = keyof typeof PRICES;

const EXCEPTIONS = [
  'internalServerException',
  'modelStreamErrorException',
  'modelTimeoutException',
  'serviceUnavailableException',
  'throttlingException',
  'validationException',
];

/** Models by the targets they are tried at; each with names of its own, so that no failure decides a later test. */
const CHAINS: Readonly<Record<string, readonly Name[]>> = {
  ...Object.fromEntries(
    CLIENTS.flatMap((client): [string, readonly Name[]][] => [
      [`unavailable-${client}`, ['openai', 'anthropic']],
      [`overloaded-${client}`, ['anthropic', 'gemini']],
      [`whole-${client}`, ['openai', 'gemini']],
      ...EXCEPTIONS.map((type): [string, readonly Name[]] => [`late-${client}-${type}`, ['bedrock', 'openai']]),
    ]),
  ),
  ...Object.fromEntries(EXCEPTIONS.map((type) => [`early-${type}`, ['bedrock', 'anthropic']])),
  limited: ['gemini', 'bedrock'],
  isolated: ['openai', 'anthropic', 'gemini', 'bedrock', 'openai'],
  'garbage-first': ['anthropic', 'openai'],
};

let gateway: Gateway;
const providers = {} as Record<Name, Scripted>;

t.before(async () => {
  for (const name of ['openai', 'anthropic', 'gemini', 'bedrock'] as const) {
    providers[name] = await startScripted();
    t.teardown(() => providers[name].close());
  }
  const origin = (name: Name): string => new URL(providers[name].baseUrl).origin;
  gateway = await startGateway(t, {
    config: {
      providers: {
        openai: { kind: 'openai', base_url: `${origin('openai')}/v1`, credentials: SECRETS.openai },
        anthropic: { kind: 'anthropic', base_url: `${origin('anthropic')}/v1`, credentials: SECRETS.anthropic },
        gemini: { kind: 'gemini', base_url: `${origin('gemini')}/v1beta`, credentials: SECRETS.gemini },
        bedrock: {
          kind: 'bedrock',
          base_url: origin('bedrock'),
          region: 'eu-central-1',
          credentials: { access_key_id: ACCESS_KEY_ID, secret_access_key: SECRETS.bedrock },
        },
      },
      prices: Object.entries(PRICES).map(([name, [input, output]]) => ({ model: `${name}/*`, input, output })),
      models: {
        ...Object.fromEntries(
          Object.entries(CHAINS).map(([model, chain]) => [
            model,
            { targets: [...new Set(chain)].map((name) => `${name}/${model}`), retry_budget: 'off' },
          ]),
        ),
        stalling: { targets: ['anthropic/stalling'], retry: { attempts: 1, stall: '300ms' } },
      },
    },
  });
});

const UNAVAILABLE: Script = { status: 503, chunks: ['{"error":{"message":"busy","type":"server_error"}}'] };

/** Anthropic and Google say something on the way: then only the tail is a guess. */
const GUESSED = /^(?:estimated|mixed)$/;

/** What the request is booked as: who served it, at whose price, from whose numbers. */
async function booked(id: string | undefined): Promise<RequestRecord> {
  const record = await gateway.record(id ?? '');
  const name = (record.target ?? '').split('/')[0] as Name;
  const [input, output] = PRICES[name];
  const cost = 1000 * (Number(record.usage.input) * input + Number(record.usage.output) * output);
  t.equal(record.cost_nano_usd, cost, `priced as ${record.target}`);
  return record;
}

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
  const record = await booked(answer.headers['x-request-id']);
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

/** The last chunk comes only when the client has read the second word: before it another target could still be asked. */
async function seenThenMore(provider: Scripted, model: string, client: Client, script: Script): Promise<Received> {
  provider.queue({ ...script, hold: (script.chunks?.length ?? 0) - 1 });
  const answer = await open(gateway, client, model, { stream: true });
  await Promise.all([answer.until('two '), provider.held(1)]);
  provider.release();
  return answer.finished();
}

t.test('every exception of Bedrock’s after the first word is the client’s own error event', async (t) => {
  const { chunks, headers = {} } = bedrockStream(WORDS);
  for (const client of CLIENTS) {
    for (const type of EXCEPTIONS) {
      const begun = providers.openai.begun;
      const failing = [...chunks.slice(0, 3), bedrockException(type, 'it broke')];
      const model = `late-${client}-${type}`;
      const answer = await seenThenMore(providers.bedrock, model, client, { headers, chunks: failing });
      const name = `${client} ${type}`;
      const read = readStream(client, answer.text);
      t.match(read, { text: 'one two ', ended: false }, name);
      t.match(JSON.stringify(read.error), /it broke/, name);
      t.notMatch(answer.text, /DONE/, name);
      t.equal(providers.openai.begun, begun, 'nothing is tried again');
      const record = await booked(answer.headers['x-request-id']);
      t.match(record, { target: `bedrock/${model}`, code: 'provider_error', usage_source: GUESSED }, name);
      t.ok(Number(record.usage.output) > 0, name);
      t.match(record.attempts, [{ outcome: 'error', status: 200, reason: 'error_event' }], name);
    }
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
    const record = await booked(answer.headers['x-request-id']);
    const usage = { input: INPUT, output: 3 };
    t.match(record, { target: `gemini/whole-${client}`, answered_model: 'gemini-served', usage });
  }
});

/** How a translated stream can break after its first words; Envoy’s own resets end it without another byte. */
const BREAKS: readonly (readonly [name: string, script: Partial<Script>, outcome: object])[] = [
  ['cut by a reset', { end: 'reset' }, { reason: 'reset', outcome: 'error' }],
  ['cut by FIN', { end: 'fin' }, { reason: 'reset', outcome: 'error' }],
  ['ended without its end', { end: 'clean' }, { reason: 'incomplete', outcome: 'error' }],
];

t.test('a translated stream that breaks never looks whole', async (t) => {
  const dialects = { anthropic: anthropicStream(WORDS), gemini: geminiStream(WORDS), bedrock: bedrockStream(WORDS) };
  for (const [name, script] of Object.entries(dialects)) {
    for (const [how, broken, attempt] of BREAKS) {
      for (const client of CLIENTS) {
        const provider = providers[name as Name];
        const kept = script.chunks.slice(0, script.chunks.findIndex((chunk) => chunk.includes('two ')) + 1);
        provider.queue({ ...script, ...broken, chunks: kept, hold: kept.length });
        const answer = await open(gateway, client, `${name}/broken-${how}-${client}`.replaceAll(' ', '-'), {
          stream: true,
        });
        await Promise.all([answer.until('two '), provider.held(1)]);
        provider.release();
        const received = await answer.finished();
        const read = readStream(client, received.text.slice(0, received.text.lastIndexOf('}') + 1));
        const title = `${name} ${how} ${client}`;
        t.match(read, { text: 'one two ', ended: false }, title);
        if (broken.end === 'clean') t.ok(read.error !== undefined && received.complete, `${title}: an error event`);
        else t.notOk(received.complete, `${title}: cut`);
        const record = await booked(received.headers['x-request-id']);
        // Google's running count is exact for what it sent before it ended by itself.
        const source = name === 'gemini' && broken.end === 'clean' ? 'provider' : GUESSED;
        t.match(record, { code: 'provider_error', usage_source: source, attempts: [attempt] }, title);
        t.ok(Number(record.usage.output) >= 2, `${title}: not the placeholder of the beginning`);
      }
    }
  }
});

t.test('a translated stream that falls silent is cut by the clock', async (t) => {
  for (const client of CLIENTS) {
    const script = anthropicStream(WORDS);
    providers.anthropic.queue({ ...script, hold: 4 });
    const answer = await ask(gateway, client, 'stalling', { stream: true });
    const read = readStream(client, answer.text);
    t.match(read, { text: 'one two ', ended: false }, client);
    t.ok(!answer.complete || read.error !== undefined, client);
    const record = await booked(answer.headers['x-request-id']);
    t.match(record, { code: 'upstream_timeout', usage_source: GUESSED, attempts: [{ reason: 'stall' }] }, client);
  }
});

t.test('an error event of Anthropic’s after the first word', async (t) => {
  const { chunks, headers = {} } = anthropicStream(WORDS);
  const error = { type: 'rate_limit_error', message: 'slow down' };
  for (const client of CLIENTS) {
    const failing = [...chunks.slice(0, 4), anthropicEvent('error', { error })];
    const model = `anthropic/limited-late-${client}`;
    const answer = await seenThenMore(providers.anthropic, model, client, { headers, chunks: failing });
    const read = readStream(client, answer.text);
    t.match(read, { text: 'one two ', ended: false }, client);
    t.match(JSON.stringify(read.error), /slow down/, client);
    t.match(await booked(answer.headers['x-request-id']), { code: 'provider_error', usage_source: GUESSED });
  }
});

/** Whole answers that are none. */
const GARBAGE: Readonly<Record<string, string>> = {
  'no JSON': '<html>hello</html>',
  'cut JSON': '{"id":"msg_1","content":[{"type":"te',
  nothing: '',
  'a number': '42',
  'no object': '["hello"]',
};

t.test('a whole answer that cannot be read is 502 provider_error in the client’s dialect', async (t) => {
  for (const [what, text] of Object.entries(GARBAGE)) {
    for (const client of CLIENTS) {
      for (const name of ['anthropic', 'gemini', 'bedrock'] as const) {
        if (client === 'messages' && name === 'anthropic') continue;
        if (client === 'gemini' && name === 'gemini') continue;
        providers[name].queue({ headers: { 'content-type': 'application/json' }, chunks: [text] });
        const answer = await ask(gateway, client, `${name}/garbage-${client}-${what.replaceAll(' ', '-')}`, {
          stream: false,
        });
        const title = `${client} ${name} ${what}`;
        t.equal(answer.status, 502, title);
        const shape = { chat: 'openai', responses: 'openai', messages: 'anthropic', gemini: 'google' }[client];
        const error = JSON.parse(answer.text) as object;
        if (shape === 'openai') t.match(error, { error: { code: 'provider_error', type: 'api_error' } }, title);
        if (shape === 'anthropic') t.match(error, { type: 'error', error: { type: 'api_error' } }, title);
        if (shape === 'google') t.match(error, { error: { code: 502, status: 'UNAVAILABLE' } }, title);
        t.notMatch(answer.text, /hello|msg_1/, 'nothing of it is shown');
      }
    }
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
  const types = new Map(gateway.ledger().flatMap((entry) => (entry.type === 'hold' ? [] : [[entry.id, entry.type]])));
  const guessed = (await gateway.requests()).filter(({ usage_source: source }) => GUESSED.test(source ?? ''));
  t.ok(guessed.length > 40);
  for (const { id, model } of guessed) t.equal(types.get(id), 'estimate', model);
  for (const secret of Object.values(SECRETS)) t.notOk(gateway.logs().includes(secret));
});
