import { countTokens } from '../codec/word-pieces.js';
import { type Answerer, jsonAnswer, type MockRequest } from './answer.js';
import { chatUsage, STREAM_ERROR } from './chat.js';
import { countOr, type JsonObject, listOr, objectOr, textOr } from './json.js';
import { type Reply, reply } from './reply.js';

/** `POST /v1/completions`, the older endpoint: one text in, one text out. */
export const completions: Answerer = (request) => {
  const prompts = promptsOf(request.body['prompt']);
  const copies = countOr(request.body['n'], 1, 128);
  const replies = prompts.flatMap((last) => {
    const said = reply(
      { ...EMPTY, last, maxTokens: countOr(request.body['max_tokens'], 0, 1e9) || null },
      request.behaviour,
    );
    return Array.from({ length: copies }, () => said);
  });
  const input = prompts.reduce((sum, text) => sum + countTokens(text), 0);
  const output = replies.reduce((sum, each) => sum + each.outputTokens, 0);
  const usage = request.behaviour.usage ? chatUsage(input, output) : null;
  if (request.body['stream'] !== true) {
    const choices = replies.map((said, index) => choice(index, said.pieces.join(''), said.finish));
    return jsonAnswer({ ...head(request), choices, ...(usage === null ? {} : { usage }) });
  }
  return {
    kind: 'stream',
    events: events(request, replies, usage),
    errorEvent: `data: ${JSON.stringify({ error: STREAM_ERROR })}\n\n`,
  };
};

const EMPTY = {
  toolResult: null,
  inputTokens: 0,
  tools: [],
  toolChoice: 'none',
  parallelTools: false,
  schema: null,
} as const;

function promptsOf(prompt: unknown): string[] {
  if (!Array.isArray(prompt)) return [textOr(prompt)];
  if (prompt.every((each) => typeof each === 'number')) return [prompt.join(' ')];
  return prompt.slice(0, 128).map((each) => (typeof each === 'string' ? each : listOr(each).join(' ')));
}

function head(request: MockRequest): JsonObject {
  return { id: `cmpl-${request.id}`, object: 'text_completion', created: request.created, model: request.model };
}

function choice(index: number, text: string, finish: string | null): JsonObject {
  return { text, index, logprobs: null, finish_reason: finish };
}

function* events(request: MockRequest, replies: readonly Reply[], usage: JsonObject | null): Generator<string> {
  const asked = objectOr(request.body['stream_options'])['include_usage'] === true && usage !== null;
  const data = (fields: JsonObject): string => `data: ${JSON.stringify({ ...head(request), ...fields })}\n\n`;
  const nullUsage = asked ? { usage: null } : {};
  for (const [index, said] of replies.entries()) {
    for (const piece of said.pieces) yield data({ choices: [choice(index, piece, null)], ...nullUsage });
    yield data({ choices: [choice(index, '', said.finish)], ...nullUsage });
  }
  if (asked) yield data({ choices: [], usage });
  yield 'data: [DONE]\n\n';
}
