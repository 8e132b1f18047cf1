import { gzipSync } from 'node:zlib';
import t from 'tap';
import { Losses } from '../../src/dialects/translate/losses.js';
import { messagesToChat } from '../../src/dialects/translate/messages-to-chat/pair.js';
import type { HeaderView } from '../../src/gateway/headers.js';
import type { OpenAttempt, RequestState } from '../../src/gateway/state.js';
import { translateWhole } from '../../src/gateway/translate-whole.js';

/** What of a request's state a whole answer is read with. */
function stateOf(): RequestState {
  const call = messagesToChat.prepare(
    { model: 'p/m', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] },
    {
      model: 'm',
      stream: false,
      outputCap: null,
      outputCapField: 'max_tokens',
      inputTokens: 1,
      defaultOutputTokens: 10,
      includeUsage: false,
      id: 'a',
      created: 1,
      extended: false,
      losses: new Losses(),
    },
  );
  const open: Partial<OpenAttempt> = { wire: 'openai-chat', call };
  return { id: 'request-1', errors: 'anthropic', open, response: null } as unknown as RequestState;
}

function headers(values: Readonly<Record<string, string>>): HeaderView {
  return {
    get: (name) => values[name],
    all: (name) => [values[name]].filter((value) => value !== undefined),
    names: () => Object.keys(values),
    entries: () => Object.entries(values),
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const ANSWER = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
});

t.test('trap 38: a packed answer is metered, translated, and no longer said to be packed', async (t) => {
  const state = stateOf();
  const packed = headers({ ...JSON_TYPE, 'content-encoding': 'gzip' });
  const { change, error } = translateWhole(state, packed, gzipSync(ANSWER));
  t.equal(error, null);
  t.same(change.remove, ['content-encoding']);
  t.match(JSON.parse(String(change.body)), { content: [{ type: 'text', text: 'Hi' }], usage: { output_tokens: 1 } });
  t.match(state.response, { usage: { input: 3, output: 1 } });
});

t.test('trap 38: nor is the error that stands for an answer that cannot be read', async (t) => {
  const packed = headers({ ...JSON_TYPE, 'content-encoding': 'gzip' });
  for (const body of [
    Buffer.from('no gzip'),
    gzipSync('no JSON'),
    gzipSync('[]'),
    gzipSync('{"error":{"message":"m"}}'),
  ]) {
    const { change, error } = translateWhole(stateOf(), packed, body);
    t.equal(error?.code, 'provider_error');
    t.same(change.remove, ['content-encoding']);
    t.match(JSON.parse(String(change.body)), { type: 'error', error: { type: 'api_error' } });
    t.ok(change.set?.some(([name, value]) => name === ':status' && value === '502'));
  }
});
