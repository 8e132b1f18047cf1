import { countTokens } from '../../codec/word-pieces.js';
import type { MockError } from '../answer.js';
import { badRequest } from '../errors.js';
import { countOr, isObject, type JsonObject, listOr, objectOr, textOr } from '../json.js';
import { contentText, type Prompt } from '../reply.js';

/** What is wrong with a request of `Converse`, in AWS' words; null = nothing. */
export function problemOf(body: JsonObject): MockError | null {
  const messages = listOr(body['messages']).map((each) => objectOr(each));
  if (messages.length === 0)
    return badRequest('A conversation must start with a user message. Try again with messages.');
  if (messages[0]?.['role'] !== 'user') {
    return badRequest('A conversation must start with a user message. Try again with a conversation that does.');
  }
  for (const [at, message] of messages.entries()) {
    if (at > 0 && message['role'] === messages[at - 1]?.['role']) {
      return badRequest('A conversation must alternate between user and assistant roles.');
    }
    if (listOr(message['content']).length === 0) {
      return badRequest(`The content field in the Message object at messages.${at} is empty.`);
    }
  }
  const calls = messages.some((message) => listOr(message['content']).some((block) => 'toolUse' in objectOr(block)));
  const tools = listOr(objectOr(body['toolConfig'])['tools']);
  return calls && tools.length === 0
    ? badRequest('The toolConfig field must be defined when using toolUse and toolResult content blocks.')
    : null;
}

export function promptOf(body: JsonObject): Prompt {
  const messages = listOr(body['messages']).map((message) => objectOr(message));
  const user = messages.findLast((message) => message['role'] === 'user');
  const config = objectOr(body['toolConfig']);
  const choice = objectOr(config['toolChoice']);
  const named = textOr(objectOr(choice['tool'])['name']);
  return {
    last: contentText(user?.['content']),
    toolResult: toolResultOf(messages.at(-1)),
    inputTokens: inputTokens(body),
    maxTokens: countOr(objectOr(body['inferenceConfig'])['maxTokens'], 0, 1e9) || null,
    tools: listOr(config['tools'])
      .map((tool) => objectOr(objectOr(tool)['toolSpec']))
      .map((tool) => ({ name: textOr(tool['name']), parameters: objectOr(objectOr(tool['inputSchema'])['json']) }))
      .filter((tool) => tool.name !== ''),
    toolChoice: isObject(choice['any']) ? 'required' : named || 'auto',
    parallelTools: true,
    schema: schemaOf(body),
  };
}

/** `outputConfig.textFormat`, whose schema is JSON in a text. */
function schemaOf(body: JsonObject): JsonObject | null {
  const format = objectOr(objectOr(body['outputConfig'])['textFormat']);
  const text = textOr(objectOr(objectOr(format['structure'])['jsonSchema'])['schema']);
  try {
    return text === '' ? null : objectOr(JSON.parse(text));
  } catch {
    return null;
  }
}

export function thinks(body: JsonObject): boolean {
  const { type } = objectOr(objectOr(body['additionalModelRequestFields'])['thinking']);
  return type === 'enabled' || type === 'adaptive';
}

function toolResultOf(message: JsonObject | undefined): string | null {
  const results = listOr(message?.['content'])
    .map((block) => objectOr(block)['toolResult'])
    .filter(isObject);
  if (results.length === 0) return null;
  return results.map((result) => listOr(result['content']).map(partText).join('')).join(' ');
}

function partText(part: unknown): string {
  const { text, json } = objectOr(part);
  return typeof text === 'string' ? text : JSON.stringify(json ?? '');
}

function inputTokens(body: JsonObject): number {
  const contents = [body['system'], ...listOr(body['messages']).map((message) => objectOr(message)['content'])];
  const texts = contents.reduce<number>((sum, content) => sum + 3 + blockTokens(content), 0);
  return texts + (body['toolConfig'] === undefined ? 0 : countTokens(JSON.stringify(body['toolConfig'])));
}

/** Media cost what a small image does; a cache point costs nothing. */
export function blockTokens(content: unknown): number {
  return listOr(content).reduce<number>((sum, each) => {
    const block = objectOr(each);
    if (typeof block['text'] === 'string') return sum + countTokens(block['text']);
    if ('cachePoint' in block) return sum;
    return (
      sum + ('image' in block || 'document' in block || 'video' in block ? 258 : countTokens(JSON.stringify(block)))
    );
  }, 0);
}

/** Tokens before the last cache point. */
export function cachedTokens(body: JsonObject): number {
  let [passed, marked] = [0, 0];
  const tools = listOr(objectOr(body['toolConfig'])['tools']);
  for (const tool of tools) {
    if ('cachePoint' in objectOr(tool)) marked = passed;
    else passed += countTokens(JSON.stringify(tool));
  }
  for (const content of [body['system'], ...listOr(body['messages']).map((message) => objectOr(message)['content'])]) {
    for (const block of listOr(content)) {
      if ('cachePoint' in objectOr(block)) marked = passed;
      passed += blockTokens([block]);
    }
  }
  return marked;
}
