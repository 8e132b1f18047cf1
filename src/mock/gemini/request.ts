import { countTokens } from '../../codec/word-pieces.js';
import type { MockError } from '../answer.js';
import { badRequest } from '../errors.js';
import { countOr, isObject, type JsonObject, listOr, objectOr, textOr } from '../json.js';
import { contentText, type Prompt } from '../reply.js';

/** Members of `generateContent`; Google refuses any other by name. */
const MEMBERS: ReadonlySet<string> = new Set(
  (
    'contents systemInstruction system_instruction tools toolConfig tool_config generationConfig generation_config ' +
    'safetySettings safety_settings cachedContent labels model serviceTier store'
  ).split(' '),
);

/** What is wrong with a request, in Google's words; null = nothing. */
export function problemOf(body: JsonObject): MockError | null {
  const unknown = Object.keys(body).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) {
    return badRequest(`Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`);
  }
  const contents = listOr(body['contents']).map((each) => objectOr(each));
  if (contents.length === 0) return badRequest('* GenerateContentRequest.contents: contents is not specified\n');
  if (contents.some((content) => !['user', 'model', 'function', ''].includes(textOr(content['role'])))) {
    return badRequest('Please use a valid role: user, model.');
  }
  return contents.some((content) => listOr(content['parts']).length === 0)
    ? badRequest('Unable to submit request because it must include at least one parts field.')
    : null;
}

export function promptOf(body: JsonObject): Prompt {
  const contents = listOr(body['contents']).map((content) => objectOr(content));
  const user = contents.findLast((content) => content['role'] !== 'model');
  const config = objectOr(body['generationConfig']);
  return {
    last: contentText(user?.['parts']),
    toolResult: toolResultOf(contents.at(-1)),
    inputTokens: inputTokens(body),
    maxTokens: countOr(config['maxOutputTokens'], 0, 1e9) || null,
    tools: toolsOf(body),
    toolChoice: toolChoiceOf(body),
    parallelTools: true,
    schema: schemaOf(config),
  };
}

export function thinks(body: JsonObject): boolean {
  return objectOr(objectOr(body['generationConfig'])['thinkingConfig'])['includeThoughts'] === true;
}

function toolsOf(body: JsonObject): Prompt['tools'] {
  return listOr(body['tools'])
    .flatMap((tool) => listOr(objectOr(tool)['functionDeclarations']))
    .map((each) => objectOr(each))
    .map((each) => ({
      name: textOr(each['name']),
      parameters: objectOr(each['parametersJsonSchema'] ?? each['parameters']),
    }));
}

function toolChoiceOf(body: JsonObject): string {
  const calling = objectOr(objectOr(body['toolConfig'])['functionCallingConfig']);
  const allowed = listOr(calling['allowedFunctionNames']);
  if (calling['mode'] === 'NONE') return 'none';
  if (calling['mode'] !== 'ANY') return 'auto';
  return allowed.length === 1 ? textOr(allowed[0]) : 'required';
}

function schemaOf(config: JsonObject): JsonObject | null {
  const schema = config['responseJsonSchema'] ?? config['responseSchema'];
  if (isObject(schema)) return schema;
  const answer = { type: 'object', properties: { answer: { type: 'string', default: 'This is JSON from the mock.' } } };
  return config['responseMimeType'] === 'application/json' ? answer : null;
}

function toolResultOf(content: JsonObject | undefined): string | null {
  const results = listOr(content?.['parts'])
    .map((part) => objectOr(part)['functionResponse'])
    .filter(isObject);
  return results.length === 0 ? null : results.map((result) => responseText(objectOr(result['response']))).join(' ');
}

/** Functions answer with an object; its one text, if it is no more than that. */
function responseText(response: JsonObject): string {
  const [value, ...more] = Object.values(response);
  return typeof value === 'string' && more.length === 0 ? value : JSON.stringify(response);
}

function inputTokens(body: JsonObject): number {
  const system = objectOr(body['systemInstruction'] ?? body['system_instruction'])['parts'];
  const contents = listOr(body['contents']).map((content) => objectOr(content)['parts']);
  const texts = [system, ...contents].reduce<number>((sum, parts) => sum + 1 + partTokens(parts), 0);
  return texts + (body['tools'] === undefined ? 0 : countTokens(JSON.stringify(body['tools'])));
}

/** Google takes 258 tokens for a small image; other media cost the same here. */
export function partTokens(parts: unknown): number {
  return listOr(parts).reduce<number>((sum, each) => {
    const part = objectOr(each);
    if (typeof part['text'] === 'string') return sum + countTokens(part['text']);
    return sum + ('inlineData' in part || 'fileData' in part ? 258 : countTokens(JSON.stringify(part)));
  }, 0);
}
