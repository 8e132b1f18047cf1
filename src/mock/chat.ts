import { countTokens } from '../codec/word-pieces.js';
import { type Answerer, jsonAnswer, type MockRequest } from './answer.js';
import { countOr, type JsonObject, listOr, objectOr, textOr } from './json.js';
import { contentText, type Prompt, type Reply, reply, type Tool, type ToolCall } from './reply.js';

/** `POST /v1/chat/completions`. https://platform.openai.com/docs/api-reference/chat */
export const chat: Answerer = (request) => {
  const prompt = promptOf(request.body);
  const said = reply(prompt, request.behaviour);
  const count = countOr(request.body['n'], 1, 128);
  const usage = request.behaviour.usage ? chatUsage(prompt.inputTokens, said.outputTokens * count) : null;
  if (request.body['stream'] !== true) return jsonAnswer(completion(request, said, { count, usage }));
  return {
    kind: 'stream',
    events: events(request, said, { count, usage }),
    errorEvent: `data: ${JSON.stringify({ error: STREAM_ERROR })}\n\n`,
  };
};

export const STREAM_ERROR = {
  message: 'The server had an error while processing your request.',
  type: 'server_error',
  param: null,
  code: 'server_error',
};

interface Shape {
  readonly count: number;
  readonly usage: JsonObject | null;
}

function promptOf(body: JsonObject): Prompt {
  const messages = listOr(body['messages']).map((message) => objectOr(message));
  const last = messages.at(-1);
  const user = messages.findLast((message) => message['role'] === 'user');
  const inputTokens = messages.reduce(
    (sum, message) => sum + 3 + countTokens(contentText(message['content'])) + countTokens(textOr(message['name'])),
    3,
  );
  const choice = body['tool_choice'];
  const format = objectOr(body['response_format']);
  return {
    last: contentText(user?.['content']),
    toolResult: last?.['role'] === 'tool' ? contentText(last['content']) : null,
    inputTokens: inputTokens + (body['tools'] === undefined ? 0 : countTokens(JSON.stringify(body['tools']))),
    maxTokens: countOr(body['max_completion_tokens'] ?? body['max_tokens'], 0, 1e9) || null,
    tools: toolsOf(body['tools']),
    toolChoice: textOr(choice, textOr(objectOr(objectOr(choice)['function'])['name'], 'auto')),
    parallelTools: body['parallel_tool_calls'] !== false,
    schema: schemaOf(format),
  };
}

function toolsOf(tools: unknown): Tool[] {
  return listOr(tools)
    .map((tool) => objectOr(objectOr(tool)['function']))
    .map((each) => ({ name: textOr(each['name']), parameters: objectOr(each['parameters']) }))
    .filter((tool) => tool.name !== '');
}

function schemaOf(format: JsonObject): JsonObject | null {
  if (format['type'] === 'json_schema') return objectOr(objectOr(format['json_schema'])['schema']);
  const answer = { type: 'object', properties: { answer: { type: 'string', default: 'This is JSON from the mock.' } } };
  return format['type'] === 'json_object' ? answer : null;
}

/** Usage with the detail fields that OpenAI sends. */
export function chatUsage(input: number, output: number): JsonObject {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function completion(request: MockRequest, said: Reply, shape: Shape): JsonObject {
  const message: Record<string, unknown> = {
    role: 'assistant',
    content: said.toolCalls.length > 0 ? null : said.pieces.join(''),
    refusal: null,
  };
  if (said.toolCalls.length > 0) message['tool_calls'] = said.toolCalls.map((call, at) => toolCall(request, call, at));
  const choices = Array.from({ length: shape.count }, (_, index) => ({ index, message, finish_reason: said.finish }));
  return {
    id: `chatcmpl-${request.id}`,
    object: 'chat.completion',
    created: request.created,
    model: request.model,
    choices,
    ...(shape.usage === null ? {} : { usage: shape.usage }),
    system_fingerprint: 'fp_mock',
  };
}

function toolCall(request: MockRequest, call: ToolCall, at: number): JsonObject {
  return { id: `call_${request.id}${at}`, type: 'function', function: { name: call.name, arguments: call.arguments } };
}

/** Role, content word by word, finish, usage if asked, `[DONE]`; choices take turns. */
function* events(request: MockRequest, said: Reply, shape: Shape): Generator<string> {
  const asked = objectOr(request.body['stream_options'])['include_usage'] === true && shape.usage !== null;
  const head = {
    id: `chatcmpl-${request.id}`,
    object: 'chat.completion.chunk',
    created: request.created,
    model: request.model,
    system_fingerprint: 'fp_mock',
  };
  const nullUsage = asked ? { usage: null } : {};
  const chunk = (index: number, delta: JsonObject, finish: string | null = null): string =>
    `data: ${JSON.stringify({ ...head, choices: [{ index, delta, finish_reason: finish }], ...nullUsage })}\n\n`;
  const each = Array.from({ length: shape.count }, (_, index) => index);
  for (const index of each)
    yield chunk(index, { role: 'assistant', content: said.finish === 'tool_calls' ? null : '' });
  for (const content of said.pieces) for (const index of each) yield chunk(index, { content });
  for (const index of each) for (const delta of toolDeltas(request, said.toolCalls)) yield chunk(index, delta);
  for (const index of each) yield chunk(index, {}, said.finish);
  if (asked) yield `data: ${JSON.stringify({ ...head, choices: [], usage: shape.usage })}\n\n`;
  yield 'data: [DONE]\n\n';
}

function* toolDeltas(request: MockRequest, calls: readonly ToolCall[]): Generator<JsonObject> {
  for (const [index, call] of calls.entries()) {
    const opening = toolCall(request, { name: call.name, arguments: '' }, index);
    yield { tool_calls: [{ index, ...opening }] };
    for (let at = 0; at < call.arguments.length; at += 12) {
      yield { tool_calls: [{ index, function: { arguments: call.arguments.slice(at, at + 12) } }] };
    }
  }
}
