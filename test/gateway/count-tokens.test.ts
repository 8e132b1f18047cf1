import Anthropic from '@anthropic-ai/sdk';
import t from 'tap';
import { loadO200k } from '../../src/accounting/tokens/load-o200k.js';
import { createTokenCounter } from '../../src/accounting/tokens/token-counter.js';
import { matchEndpoint } from '../../src/dialects/endpoints.js';
import { GatewayError } from '../../src/dialects/error.js';
import { scanRequest } from '../../src/dialects/request.js';
import { canCountTokens, countTokensReply } from '../../src/gateway/count-tokens.js';

const tokens = createTokenCounter({ load: loadO200k, now: () => 0, onProblem: t.threw });
await tokens.prepare();

function counted(path: string, value: object, target = 'openai/gpt-5') {
  const endpoint = matchEndpoint('POST', path);
  if (endpoint === null) throw new Error(path);
  const body = Buffer.from(JSON.stringify(value));
  const facts = scanRequest(endpoint, body, 'application/json');
  if (facts instanceof GatewayError) throw facts;
  return countTokensReply(tokens, { wire: endpoint.wire, request: { body, facts }, target, id: 'r-1' });
}

const read = (reply: { readonly body: Buffer }): unknown => JSON.parse(reply.body.toString());

const ASKED = { model: 'smart', messages: [{ role: 'user', content: 'The quick brown fox jumps over the lazy dog.' }] };
const GOOGLE = '/v1beta/models/smart:countTokens';
const CONTENTS = [{ role: 'user', parts: [{ text: 'The quick brown fox jumps over the lazy dog.' }] }];

t.test('each dialect reads the estimate in its own shape', async (t) => {
  const anthropic = counted('/v1/messages/count_tokens', ASKED);
  t.match(anthropic, {
    kind: 'refuse',
    status: 200,
    headers: [
      ['content-type', 'application/json'],
      ['x-request-id', 'r-1'],
    ],
  });
  t.same(read(anthropic), { input_tokens: 3 + 4 + 10 });
  const more = read(counted('/v1/messages/count_tokens', ASKED, 'bedrock/anthropic.claude-opus-4-8'));
  t.same(more, { input_tokens: 4 + 15 }, "as the target's tokenizer counts");
  const details = (count: number) => [{ modality: 'TEXT', tokenCount: count }];
  t.same(read(counted(GOOGLE, { contents: CONTENTS }, 'openai/gpt-5')), {
    totalTokens: 17,
    promptTokensDetails: details(17),
  });
  const wrapped = { generateContentRequest: { model: 'models/smart', contents: CONTENTS, tools: [] } };
  t.same(read(counted(GOOGLE, wrapped, 'openai/gpt-5')), { totalTokens: 17, promptTokensDetails: details(17) });
  t.same(read(counted(GOOGLE, { contents: [] }, 'gemini/x')), { totalTokens: 1, promptTokensDetails: details(1) });
  t.same(
    ['anthropic-count-tokens', 'gemini-count-tokens', 'openai-chat'].map((wire) =>
      canCountTokens(wire as 'openai-chat'),
    ),
    [true, true, false],
  );
});

t.test("Anthropic's client reads it", async (t) => {
  const fetch: typeof globalThis.fetch = async (_input, init) => {
    const reply = counted('/v1/messages/count_tokens', JSON.parse(String(init?.body)) as object);
    return new Response(new Uint8Array(reply.body), { headers: Object.fromEntries(reply.headers) });
  };
  const client = new Anthropic({ apiKey: 'x', fetch });
  const asked = { model: 'smart', messages: [{ role: 'user' as const, content: 'Hello.' }] };
  const few = await client.messages.countTokens(asked);
  const tool = { name: 'look', description: 'Looks around.', input_schema: { type: 'object' as const } };
  const many = await client.messages.countTokens({ ...asked, system: 'Be brief.', tools: [tool] });
  t.ok(many.input_tokens > few.input_tokens + 10, `${few.input_tokens} and ${many.input_tokens}`);
});
