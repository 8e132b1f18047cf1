import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type Schema, schemasOfTypes, type TypeSource } from './type-schema.js';

const RESOURCES = `${dirname(fileURLToPath(import.meta.resolve('openai')))}/resources`;
const CHAT = `${RESOURCES}/chat/completions/completions.d.mts`;
const RESPONSES = `${RESOURCES}/responses/responses.d.mts`;
/** Where the wire differs from the types. */
const RESPONSE = {
  without: ['Response.output_text', 'Response._request_id'],
  nullable: ['Response.usage', 'Response.user'],
  undeclared: [
    'Response.store',
    'Response.presence_penalty',
    'Response.frequency_penalty',
    // The API's description demands it.
    'ResponseFunctionCallArgumentsDoneEvent.name',
  ],
};
/** Members that its servers answer with null, whatever the description says. */
const NULLABLE = ['ChatCompletion.system_fingerprint', 'ChatCompletionChunk.system_fingerprint'];

/**
 * OpenAI's published shapes under the names of its API description, read from the types of its official client (which are made
 * from that description). Answers of chat are open: every provider adds members to them, and so does the hub.
 */
const SOURCES = {
  CreateChatCompletionRequest: { file: CHAT, type: 'ChatCompletionCreateParams' },
  CreateChatCompletionResponse: { file: CHAT, type: 'ChatCompletion', open: true, nullable: NULLABLE },
  CreateChatCompletionStreamResponse: { file: CHAT, type: 'ChatCompletionChunk', open: true, nullable: NULLABLE },
  CreateResponse: { file: RESPONSES, type: 'ResponseCreateParams' },
  Response: { file: RESPONSES, type: 'Response', ...RESPONSE },
  ResponseStreamEvent: { file: RESPONSES, type: 'ResponseStreamEvent', ...RESPONSE },
  CreateEmbeddingResponse: { file: `${RESOURCES}/embeddings.d.mts`, type: 'CreateEmbeddingResponse' },
} as const satisfies Record<string, TypeSource>;

export type OpenAiShape = keyof typeof SOURCES;

let schemas: Readonly<Record<OpenAiShape, Schema>> | null = null;
const validators = new Map<OpenAiShape, ValidateFunction>();

/** Compiled when it is first asked for. */
function validator(name: OpenAiShape): ValidateFunction {
  const known = validators.get(name);
  if (known !== undefined) return known;
  schemas ??= schemasOfTypes(SOURCES);
  const made = new Ajv2020({ strict: false }).compile(schemas[name]);
  validators.set(name, made);
  return made;
}

/** What is wrong with the value, one line per fault; empty when it has the shape. */
export function problemsOf(name: OpenAiShape, value: unknown): readonly string[] {
  const check = validator(name);
  if (check(value)) return [];
  const errors = (check.errors ?? []).filter((error) => error.keyword !== 'if');
  return errors.map((error) => `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`);
}

/** Throws when the value has not the shape. */
export function assertValid(name: OpenAiShape, value: unknown): void {
  const problems = problemsOf(name, value);
  if (problems.length > 0)
    throw new Error(`No valid ${name}:\n${problems.join('\n')}\n${JSON.stringify(value)?.slice(0, 2_000)}`);
}
