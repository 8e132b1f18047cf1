import { countTokens } from '../../codec/word-pieces.js';
import type { MockError } from '../answer.js';
import { badRequest } from '../errors.js';
import { countOr, isObject, type JsonObject, listOr, objectOr, textOr } from '../json.js';
import { contentText, type Prompt } from '../reply.js';

/** Members of `POST /v1/messages`; any other is refused as Anthropic does. */
const MEMBERS: ReadonlySet<string> = new Set(
  (
    'model messages max_tokens system metadata stop_sequences stream temperature top_p top_k tools tool_choice thinking ' +
    'output_config output_format service_tier container context_management mcp_servers cache_control inference_geo ' +
    'anthropic_version anthropic_beta'
  ).split(' '),
);

/** What is wrong with a request, in Anthropic's words; null = nothing. Token counting needs no `max_tokens`. */
export function problemOf(body: JsonObject, needsMaxTokens: boolean): MockError | null {
  const unknown = Object.keys(body).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) return badRequest(`${unknown}: Extra inputs are not permitted`);
  if (needsMaxTokens && countOr(body['max_tokens'], 0, 1e9) === 0) return badRequest('max_tokens: Field required');
  const messages = listOr(body['messages']);
  if (messages.length === 0) return badRequest('messages: at least one message is required');
  const strange = messages.findIndex((each) => !['user', 'assistant'].includes(textOr(objectOr(each)['role'])));
  if (strange >= 0) return badRequest(`messages.${strange}.role: Input should be 'user' or 'assistant'`);
  const tool = listOr(body['tools']).findIndex((each) => wrongSchema(objectOr(each)));
  if (tool >= 0) return badRequest(`tools.${tool}.custom.input_schema.type: Field required`);
  return null;
}

/** Tools of Anthropic's own have a dated `type` and no schema. */
function wrongSchema(tool: JsonObject): boolean {
  return textOr(tool['type'], 'custom') === 'custom' && objectOr(tool['input_schema'])['type'] !== 'object';
}

export function promptOf(body: JsonObject): Prompt {
  const messages = listOr(body['messages']).map((message) => objectOr(message));
  const user = messages.findLast((message) => message['role'] === 'user');
  const choice = objectOr(body['tool_choice']);
  return {
    last: contentText(user?.['content']),
    toolResult: toolResultOf(messages.at(-1)),
    inputTokens: inputTokens(body),
    maxTokens: countOr(body['max_tokens'], 0, 1e9) || null,
    tools: listOr(body['tools'])
      .map((tool) => objectOr(tool))
      .filter((tool) => isObject(tool['input_schema']))
      .map((tool) => ({ name: textOr(tool['name']), parameters: objectOr(tool['input_schema']) })),
    toolChoice: choice['type'] === 'any' ? 'required' : textOr(choice['name'], textOr(choice['type'], 'auto')),
    parallelTools: choice['disable_parallel_tool_use'] !== true,
    schema: schemaOf(body),
  };
}

/** Text of a turn that has a tool's result. */
function toolResultOf(message: JsonObject | undefined): string | null {
  const results = listOr(message?.['content'])
    .map((block) => objectOr(block))
    .filter((block) => block['type'] === 'tool_result');
  return results.length === 0 ? null : results.map((block) => contentText(block['content'])).join(' ');
}

function schemaOf(body: JsonObject): JsonObject | null {
  const format = objectOr(objectOr(body['output_config'])['format'] ?? body['output_format']);
  return isObject(format['schema']) ? format['schema'] : null;
}

function inputTokens(body: JsonObject): number {
  const messages = listOr(body['messages']).map((message) => objectOr(message)['content']);
  const texts = [body['system'], ...messages].reduce<number>((sum, content) => sum + 3 + blockTokens(content), 0);
  return texts + (body['tools'] === undefined ? 0 : countTokens(JSON.stringify(body['tools'])));
}

/** Text is counted as text, everything else by its JSON; base64 of images and documents costs what a small image does. */
function blockTokens(content: unknown): number {
  if (typeof content === 'string') return countTokens(content);
  return listOr(content).reduce<number>((sum, each) => {
    const block = objectOr(each);
    if (typeof block['text'] === 'string') return sum + countTokens(block['text']);
    if (block['type'] === 'tool_result') return sum + blockTokens(block['content']);
    return sum + (isObject(block['source']) ? 258 : countTokens(JSON.stringify(block)));
  }, 0);
}

/** Tokens up to the last breakpoint, by lifetime: all that stands before a `cache_control` is one prefix. */
export function cachedTokens(body: JsonObject): { readonly tokens: number; readonly hour: boolean } {
  let [passed, marked] = [0, 0];
  let hour = false;
  const pass = (block: unknown, tokens: number): void => {
    passed += tokens;
    const control = objectOr(objectOr(block)['cache_control']);
    if (control['type'] !== 'ephemeral') return;
    marked = passed;
    hour = control['ttl'] === '1h';
  };
  for (const tool of listOr(body['tools'])) pass(tool, countTokens(JSON.stringify(tool)));
  for (const content of [body['system'], ...listOr(body['messages']).map((each) => objectOr(each)['content'])]) {
    if (typeof content === 'string') pass(null, countTokens(content));
    else for (const block of listOr(content)) pass(block, blockTokens([block]));
  }
  return { tokens: marked, hour };
}
