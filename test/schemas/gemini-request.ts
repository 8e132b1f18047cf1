import { z } from 'zod';
import { type Fault, faultsOf, isBase64, oneMember } from './request-rules.js';

/**
 * What Gemini's `generateContent` accepts (AI Studio and Vertex), by Google's API reference and the types of its client, with the
 * rules between members that it answers with INVALID_ARGUMENT. Names in camelCase, as Google writes them; its servers read
 * snake_case too, which nothing here writes. https://ai.google.dev/api/generate-content
 */

const functionName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/);
/** Protocol Buffers read both alphabets, with padding and without. */
const base64 = z.string().refine((text) => isBase64(standardBase64(text)), 'is base64');
const mimeType = z.string().regex(/^[\w.+-]+\/[\w.+-]+$/);
const int64 = z.union([z.int(), z.string().regex(/^\d+$/)]);
const typeName = z.string().regex(/^(string|number|integer|boolean|array|object|null|type_unspecified)$/i);
const object = z.record(z.string(), z.unknown());

/** The subset of OpenAPI's schema; `parametersJsonSchema` and `responseJsonSchema` take JSON Schema itself. */
const schema: z.ZodType = z.lazy(() =>
  z.strictObject({
    // Protocol Buffers also take the number of an enum's member.
    type: z.union([typeName, z.int()]).optional(),
    format: z.string().optional(),
    title: z.string().optional(),
    description: z.string().optional(),
    nullable: z.boolean().optional(),
    enum: z.array(z.string().min(1)).optional(),
    items: schema.optional(),
    properties: z.record(z.string(), schema).optional(),
    required: z.array(z.string()).optional(),
    propertyOrdering: z.array(z.string()).optional(),
    anyOf: z.array(schema).optional(),
    minItems: int64.optional(),
    maxItems: int64.optional(),
    minLength: int64.optional(),
    maxLength: int64.optional(),
    minProperties: int64.optional(),
    maxProperties: int64.optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    pattern: z.string().optional(),
    default: z.unknown().optional(),
    example: z.unknown().optional(),
  }),
);

const blob = z.strictObject({ mimeType, data: base64, displayName: z.string().optional() });
const fileData = z.strictObject({
  fileUri: z.string().min(1),
  mimeType: mimeType.optional(),
  displayName: z.string().optional(),
});
const functionCall = z.strictObject({ id: z.string().optional(), name: functionName, args: object.optional() });
const functionResponse = z.strictObject({
  id: z.string().optional(),
  name: functionName,
  response: object,
  parts: z
    .array(
      z
        .strictObject({ inlineData: blob.optional(), fileData: fileData.optional() })
        .refine(oneMember(['inlineData', 'fileData']), 'has one member'),
    )
    .optional(),
  willContinue: z.boolean().optional(),
  scheduling: z.string().optional(),
});

const DATA_MEMBERS = {
  text: z.string().optional(),
  inlineData: blob.optional(),
  fileData: fileData.optional(),
  functionCall: functionCall.optional(),
  functionResponse: functionResponse.optional(),
  executableCode: z.unknown().optional(),
  codeExecutionResult: z.unknown().optional(),
  toolCall: object.optional(),
  toolResponse: object.optional(),
};
const part = z
  .strictObject({
    ...DATA_MEMBERS,
    thought: z.boolean().optional(),
    thoughtSignature: base64.optional(),
    videoMetadata: z.unknown().optional(),
    mediaResolution: z.unknown().optional(),
    partMetadata: object.optional(),
  })
  .refine(
    (value) =>
      oneMember(Object.keys(DATA_MEMBERS))(value) ||
      // A signature may stand alone.
      (value.thoughtSignature !== undefined && Object.keys(DATA_MEMBERS).every((member) => !(member in value))),
    'has one kind of data',
  );

const content = z.strictObject({ role: z.enum(['user', 'model']), parts: z.array(part).min(1) });
const system = z.strictObject({
  role: z.string().optional(),
  parts: z.array(z.strictObject({ text: z.string() })).min(1),
});

const declaration = z
  .strictObject({
    name: functionName,
    description: z.string().nullish(),
    parameters: schema.optional(),
    parametersJsonSchema: z.union([object, z.boolean()]).optional(),
    response: schema.optional(),
    responseJsonSchema: object.optional(),
    behavior: z.string().optional(),
  })
  .refine((value) => !(value.parameters && value.parametersJsonSchema), 'has one schema of its parameters');

const TOOL_MEMBERS = {
  functionDeclarations: z.array(declaration).min(1).optional(),
  googleSearch: object.optional(),
  googleSearchRetrieval: object.optional(),
  googleMaps: object.optional(),
  codeExecution: object.optional(),
  urlContext: object.optional(),
  fileSearch: object.optional(),
  computerUse: object.optional(),
};

const generationConfig = z.strictObject({
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().min(0).max(1).optional(),
  topK: z.number().min(1).optional(),
  candidateCount: z.int().min(1).max(8).optional(),
  maxOutputTokens: z.int().min(1).optional(),
  stopSequences: z.array(z.string().min(1)).max(5).optional(),
  seed: z
    .int()
    .min(-(2 ** 31))
    .max(2 ** 31 - 1)
    .optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  responseLogprobs: z.boolean().optional(),
  logprobs: z.int().min(0).max(20).optional(),
  responseMimeType: z.enum(['text/plain', 'application/json', 'text/x.enum']).optional(),
  responseSchema: schema.optional(),
  responseJsonSchema: z.union([object, z.boolean()]).optional(),
  responseModalities: z.array(z.enum(['TEXT', 'IMAGE', 'AUDIO'])).optional(),
  thinkingConfig: z
    .strictObject({
      includeThoughts: z.boolean().optional(),
      thinkingBudget: z.int().min(-1).optional(),
      thinkingLevel: z.enum(['MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'minimal', 'low', 'medium', 'high']).optional(),
    })
    .refine((value) => !('thinkingBudget' in value && 'thinkingLevel' in value), 'has a budget or a level')
    .optional(),
  mediaResolution: z.string().optional(),
  speechConfig: z.unknown().optional(),
  imageConfig: z.unknown().optional(),
  audioTimestamp: z.boolean().optional(),
});

const shape = z.strictObject({
  contents: z.array(content).min(1),
  systemInstruction: system.optional(),
  tools: z.array(z.strictObject(TOOL_MEMBERS).refine((tool) => Object.keys(tool).length > 0, 'is a tool')).optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z
        .strictObject({
          mode: z.enum(['AUTO', 'ANY', 'NONE', 'VALIDATED']).optional(),
          allowedFunctionNames: z.array(functionName).min(1).optional(),
        })
        .optional(),
      retrievalConfig: z.unknown().optional(),
      includeServerSideToolInvocations: z.boolean().optional(),
    })
    .optional(),
  generationConfig: generationConfig.optional(),
  safetySettings: z
    .array(
      z.strictObject({
        category: z.string().regex(/^HARM_CATEGORY_/),
        threshold: z.string().regex(/^(BLOCK_\w+|OFF|HARM_BLOCK_THRESHOLD_UNSPECIFIED)$/),
        method: z.string().optional(),
      }),
    )
    .optional(),
  cachedContent: z.string().optional(),
  // Vertex: names and values of lower-case letters, digits, hyphens and underscores.
  labels: z
    .record(
      z.string().regex(/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u),
      z.string().regex(/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u),
    )
    .optional(),
  modelArmorConfig: object.optional(),
  serviceTier: z.string().optional(),
  store: z.boolean().optional(),
});

type Request = z.infer<typeof shape>;
type Part = Request['contents'][number]['parts'][number];

export const geminiRequest = shape.superRefine((request, context) => {
  faultsOf(request, [formatRules, toolRules, turnRules], context);
});

function* formatRules({ generationConfig }: Request): Generator<Fault> {
  if (generationConfig === undefined) return;
  const { responseSchema, responseJsonSchema, responseMimeType, logprobs, responseLogprobs } = generationConfig;
  if (responseSchema && responseJsonSchema) yield ['generationConfig', 'has one schema of the answer'];
  const typed = responseMimeType === 'application/json' || responseMimeType === 'text/x.enum';
  if ((responseSchema ?? responseJsonSchema) && !typed) yield ['generationConfig', 'a schema needs a MIME type'];
  if (logprobs !== undefined && responseLogprobs !== true)
    yield ['generationConfig', 'logprobs needs responseLogprobs'];
}

function* toolRules({ tools, toolConfig }: Request): Generator<Fault> {
  const names = (tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []).map(({ name }) => name);
  if (new Set(names).size < names.length) yield ['tools', 'names are unique'];
  const config = toolConfig?.functionCallingConfig;
  if (config?.mode === 'ANY' && names.length === 0) yield ['toolConfig', 'ANY needs functions'];
  if (config?.allowedFunctionNames === undefined) return;
  if (config.mode !== 'ANY' && config.mode !== 'VALIDATED') yield ['toolConfig', 'allowed names need the mode ANY'];
  if (config.allowedFunctionNames.some((name) => !names.includes(name)))
    yield ['toolConfig', 'allowed names are names of functions'];
}

/** Calls come right after the user or after results; as many results follow as there were calls, by the same names. */
function* turnRules({ contents }: Request): Generator<Fault> {
  const turns = contents.map(({ role, parts }) => ({ role, calls: callsOf(parts), results: resultsOf(parts) }));
  if (contents[0]?.role !== 'user') yield ['contents.0', 'the first content is of the user'];
  for (const [index, { role, calls, results }] of turns.entries()) {
    const path = `contents.${index}`;
    const next = turns[index + 1];
    if (role === 'user' && calls.length > 0) yield [path, 'the model calls'];
    if (role === 'model' && results.length > 0) yield [path, 'the user answers'];
    if (calls.length > 0 && turns[index - 1]?.role !== 'user') yield [path, 'a call follows a turn of the user'];
    if (calls.length > 0 && next !== undefined && !sameNames(calls, next.results))
      yield [path, 'the next turn has the results of all calls'];
    if (results.length > 0 && (turns[index - 1]?.calls.length ?? 0) === 0) yield [path, 'results follow calls'];
  }
}

function callsOf(parts: readonly Part[]): readonly string[] {
  return parts.flatMap(({ functionCall }) => functionCall?.name ?? []);
}

function resultsOf(parts: readonly Part[]): readonly string[] {
  return parts.flatMap(({ functionResponse }) => functionResponse?.name ?? []);
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify([...left].sort()) === JSON.stringify([...right].sort());
}

function standardBase64(text: string): string {
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  return plain.padEnd(Math.ceil(plain.length / 4) * 4, '=');
}
