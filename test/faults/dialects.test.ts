/** Translated streams that break after their first words, and whole answers that are none. */
import t from 'tap';
import {
  anthropicEvent,
  anthropicStream,
  bedrockException,
  bedrockStream,
  geminiStream,
} from '../e2e/dialect-answers.js';
import { ask, CLIENTS, open, readStream } from '../e2e/dialect-clients.js';
import {
  booked,
  checkGuesses,
  BEDROCK_EXCEPTIONS as EXCEPTIONS,
  type FourProviders,
  GUESSED,
  type Name,
  seenThenMore,
  startFour,
} from '../e2e/four-providers.js';
import type { Gateway } from '../e2e/harness.js';
import type { Script } from '../e2e/scripted.js';

const WORDS = ['one ', 'two ', 'three'];

let gateway: Gateway;
let providers: FourProviders['providers'];

t.before(async () => {
  // Another target is there, and is not to be asked.
  const late = CLIENTS.flatMap((client) => EXCEPTIONS.map((type) => `late-${client}-${type}`));
  const models = late.map((model) => [
    model,
    { targets: [`bedrock/${model}`, `openai/${model}`], retry_budget: 'off' },
  ]);
  const stalling = { targets: ['anthropic/stalling'], retry: { attempts: 1, stall: '300ms' } };
  ({ gateway, providers } = await startFour({ ...Object.fromEntries(models), stalling }));
});

t.test('every exception of Bedrock’s after the first word is the client’s own error event', async (t) => {
  const { chunks, headers = {} } = bedrockStream(WORDS);
  for (const client of CLIENTS) {
    for (const type of EXCEPTIONS) {
      const begun = providers.openai.begun;
      const failing = [...chunks.slice(0, 3), bedrockException(type, 'it broke')];
      const model = `late-${client}-${type}`;
      const answer = await seenThenMore({ gateway, provider: providers.bedrock, model }, client, {
        headers,
        chunks: failing,
      });
      const name = `${client} ${type}`;
      const read = readStream(client, answer.text);
      t.match(read, { text: 'one two ', ended: false }, name);
      t.match(JSON.stringify(read.error), /it broke/, name);
      t.notMatch(answer.text, /DONE/, name);
      t.equal(providers.openai.begun, begun, 'nothing is tried again');
      const record = await booked(gateway, answer.headers['x-request-id']);
      t.match(record, { target: `bedrock/${model}`, code: 'provider_error', usage_source: GUESSED }, name);
      t.ok(Number(record.usage.output) > 0, name);
      t.match(record.attempts, [{ outcome: 'error', status: 200, reason: 'error_event' }], name);
    }
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
        const record = await booked(gateway, received.headers['x-request-id']);
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
    // The next test counts who waits from nothing.
    providers.anthropic.release();
    const read = readStream(client, answer.text);
    t.match(read, { text: 'one two ', ended: false }, client);
    t.ok(!answer.complete || read.error !== undefined, client);
    const record = await booked(gateway, answer.headers['x-request-id']);
    t.match(record, { code: 'upstream_timeout', usage_source: GUESSED, attempts: [{ reason: 'stall' }] }, client);
  }
});

t.test('an error event of Anthropic’s after the first word', async (t) => {
  const { chunks, headers = {} } = anthropicStream(WORDS);
  const error = { type: 'rate_limit_error', message: 'slow down' };
  for (const client of CLIENTS) {
    const failing = [...chunks.slice(0, 4), anthropicEvent('error', { error })];
    const model = `anthropic/limited-late-${client}`;
    const answer = await seenThenMore({ gateway, provider: providers.anthropic, model }, client, {
      headers,
      chunks: failing,
    });
    const read = readStream(client, answer.text);
    t.match(read, { text: 'one two ', ended: false }, client);
    t.match(JSON.stringify(read.error), /slow down/, client);
    t.match(await booked(gateway, answer.headers['x-request-id']), { code: 'provider_error', usage_source: GUESSED });
  }
});

/** Whole answers that are none. */
const GARBAGE: Readonly<Record<string, string | null>> = {
  'no JSON': '<html>hello</html>',
  'cut JSON': '{"id":"msg_1","content":[{"type":"te',
  nothing: '',
  'no body': null,
  'a number': '42',
  'no object': '["hello"]',
};

t.test('a whole answer that cannot be read is 502 provider_error in the client’s dialect', async (t) => {
  for (const [what, text] of Object.entries(GARBAGE)) {
    for (const client of CLIENTS) {
      for (const name of ['anthropic', 'gemini', 'bedrock'] as const) {
        if (client === 'messages' && name === 'anthropic') continue;
        if (client === 'gemini' && name === 'gemini') continue;
        const headers = { 'content-type': 'application/json', ...(text === null ? { 'content-length': '0' } : {}) };
        providers[name].queue({ headers, chunks: text === null ? [] : [text] });
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

t.test('what was guessed is an estimate in the ledger, and nothing is left open', async (t) => {
  t.ok((await checkGuesses(gateway)) > 40);
  t.same(gateway.unsettled(), []);
});
