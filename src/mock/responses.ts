import { countTokens } from '../codec/word-pieces.js';
import { type Answerer, jsonAnswer, type MockRequest } from './answer.js';
import { STREAM_ERROR } from './chat.js';
import { countOr, isObject, type JsonObject, listOr, objectOr, textOr } from './json.js';
import { contentText, type Prompt, type Reply, reply, type ToolCall } from './reply.js';

/** `POST /v1/responses`. https://platform.openai.com/docs/api-reference/responses */
export const responses: Answerer = (request) => {
  const prompt = promptOf(request.body);
  const said = reply(prompt, request.behaviour);
  const output = outputItems(request, said);
  const usage = request.behaviour.usage ? usageOf(prompt.inputTokens, said.outputTokens) : null;
  const final = responseObject(request, {
    status: said.finish === 'length' ? 'incomplete' : 'completed',
    output,
    usage,
  });
  if (request.body['stream'] !== true) return jsonAnswer(final);
  return {
    kind: 'stream',
    events: numbered(events(request, said, { final, output })),
    errorEvent: `event: error\ndata: ${JSON.stringify({ ...STREAM_ERROR, type: 'error', sequence_number: 99 })}\n\n`,
  };
};

function promptOf(body: JsonObject): Prompt {
  const input = body['input'];
  const items =
    typeof input === 'string' ? [{ role: 'user', content: input }] : listOr(input).map((item) => objectOr(item));
  const last = items.at(-1);
  const user = items.findLast((item) => item['role'] === 'user');
  const format = objectOr(objectOr(body['text'])['format']);
  const choice = body['tool_choice'];
  const texts = [textOr(body['instructions']), ...items.map((item) => contentText(item['content'] ?? item['output']))];
  return {
    last: contentText(user?.['content']),
    toolResult: last?.['type'] === 'function_call_output' ? contentText(last['output']) : null,
    inputTokens: texts.reduce((sum, text) => sum + 3 + countTokens(text), 0),
    maxTokens: countOr(body['max_output_tokens'], 0, 1e9) || null,
    tools: listOr(body['tools'])
      .map((tool) => objectOr(tool))
      .filter((tool) => tool['type'] === 'function')
      .map((tool) => ({ name: textOr(tool['name']), parameters: objectOr(tool['parameters']) })),
    toolChoice: textOr(choice, textOr(objectOr(choice)['name'], 'auto')),
    parallelTools: body['parallel_tool_calls'] !== false,
    schema: isObject(format['schema']) ? format['schema'] : null,
  };
}

function usageOf(input: number, output: number): JsonObject {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

interface State {
  readonly status: 'in_progress' | 'completed' | 'incomplete';
  readonly output: readonly JsonObject[];
  readonly usage: JsonObject | null;
}

function responseObject(request: MockRequest, state: State): JsonObject {
  return {
    id: `resp_${request.id}`,
    object: 'response',
    created_at: request.created,
    status: state.status,
    error: null,
    incomplete_details: state.status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: request.body['instructions'] ?? null,
    max_output_tokens: request.body['max_output_tokens'] ?? null,
    model: request.model,
    output: state.output,
    parallel_tool_calls: request.body['parallel_tool_calls'] !== false,
    previous_response_id: null,
    store: false,
    temperature: 1,
    text: request.body['text'] ?? { format: { type: 'text' } },
    tool_choice: request.body['tool_choice'] ?? 'auto',
    tools: request.body['tools'] ?? [],
    usage: state.usage,
    metadata: request.body['metadata'] ?? {},
  };
}

function outputItems(request: MockRequest, said: Reply): JsonObject[] {
  if (said.toolCalls.length > 0) return said.toolCalls.map((call, at) => functionCall(request, call, at));
  const status = said.finish === 'length' ? 'incomplete' : 'completed';
  return [message(request, status, [textPart(said.pieces.join(''))])];
}

function functionCall(request: MockRequest, call: ToolCall, at: number, status = 'completed'): JsonObject {
  const id = `${request.id}${at}`;
  return {
    type: 'function_call',
    id: `fc_${id}`,
    call_id: `call_${id}`,
    name: call.name,
    arguments: call.arguments,
    status,
  };
}

function message(request: MockRequest, status: string, content: readonly JsonObject[]): JsonObject {
  return { type: 'message', id: `msg_${request.id}`, status, role: 'assistant', content };
}

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

interface Finished {
  readonly final: JsonObject;
  readonly output: readonly JsonObject[];
}

function* events(request: MockRequest, said: Reply, done: Finished): Generator<JsonObject> {
  const opening = responseObject(request, { status: 'in_progress', output: [], usage: null });
  yield { type: 'response.created', response: opening };
  yield { type: 'response.in_progress', response: opening };
  if (said.toolCalls.length > 0) yield* toolEvents(request, said.toolCalls, done.output);
  else yield* textEvents(request, said, done.output[0] ?? {});
  yield { type: `response.${textOr(done.final['status'])}`, response: done.final };
}

function* textEvents(request: MockRequest, said: Reply, item: JsonObject): Generator<JsonObject> {
  const at = { item_id: `msg_${request.id}`, output_index: 0, content_index: 0 };
  yield { type: 'response.output_item.added', output_index: 0, item: message(request, 'in_progress', []) };
  yield { type: 'response.content_part.added', ...at, part: textPart('') };
  for (const delta of said.pieces) yield { type: 'response.output_text.delta', ...at, delta, logprobs: [] };
  const text = said.pieces.join('');
  yield { type: 'response.output_text.done', ...at, text, logprobs: [] };
  yield { type: 'response.content_part.done', ...at, part: textPart(text) };
  yield { type: 'response.output_item.done', output_index: 0, item };
}

function* toolEvents(
  request: MockRequest,
  calls: readonly ToolCall[],
  output: readonly JsonObject[],
): Generator<JsonObject> {
  for (const [index, call] of calls.entries()) {
    const at = { item_id: `fc_${request.id}${index}`, output_index: index };
    const opened = functionCall(request, { name: call.name, arguments: '' }, index, 'in_progress');
    yield { type: 'response.output_item.added', output_index: index, item: opened };
    for (let from = 0; from < call.arguments.length; from += 12) {
      yield { type: 'response.function_call_arguments.delta', ...at, delta: call.arguments.slice(from, from + 12) };
    }
    yield { type: 'response.function_call_arguments.done', ...at, name: call.name, arguments: call.arguments };
    yield { type: 'response.output_item.done', output_index: index, item: output[index] ?? {} };
  }
}

/** Adds the `event:` line and the running number to each event. */
function* numbered(stream: Iterable<JsonObject>): Generator<string> {
  let sequence = 0;
  for (const { type, ...rest } of stream) {
    yield `event: ${textOr(type)}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...rest })}\n\n`;
  }
}
