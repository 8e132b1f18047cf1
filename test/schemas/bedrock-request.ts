import { z } from 'zod';
import { type Fault, faultsOf, isBase64, nonEmptyText, oneMember } from './request-rules.js';

/**
 * What Bedrock's Converse and ConverseStream accept, by AWS' API reference, with the rules between members that it answers with
 * a ValidationException. Media are base64 text: nothing is fetched from a URL.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */

const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);
const toolUseId = z.string().regex(/^[a-zA-Z0-9_.:-]{1,64}$/);
const bytes = z.string().refine(isBase64, 'is base64');
const s3Location = z.strictObject({ uri: z.string().regex(/^s3:\/\//), bucketOwner: z.string().optional() });
const source = z
  .strictObject({ bytes: bytes.optional(), s3Location: s3Location.optional() })
  .refine(oneMember(['bytes', 's3Location']), 'has one source');
const cachePoint = z.strictObject({ type: z.literal('default'), ttl: z.enum(['5m', '1h']).optional() });

const image = z.strictObject({ format: z.enum(['png', 'jpeg', 'gif', 'webp']), source });
const document = z.strictObject({
  format: z.enum(['pdf', 'csv', 'doc', 'docx', 'xls', 'xlsx', 'html', 'txt', 'md']),
  // Letters, digits, hyphens, brackets, and no two spaces in a row.
  name: z.string().regex(/^(?!.* {2})[a-zA-Z0-9 \-()[\]]{1,200}$/),
  source: z
    .strictObject({
      bytes: bytes.optional(),
      s3Location: s3Location.optional(),
      text: z.string().optional(),
      content: z.array(z.strictObject({ text: z.string() })).optional(),
    })
    .refine(oneMember(['bytes', 's3Location', 'text', 'content']), 'has one source'),
  context: z.string().optional(),
  citations: z.strictObject({ enabled: z.boolean() }).optional(),
});
const video = z.strictObject({
  format: z.enum(['mkv', 'mov', 'mp4', 'webm', 'flv', 'mpeg', 'mpg', 'wmv', 'three_gp']),
  source,
});
const audio = z.strictObject({ format: z.string(), source });

const toolUse = z.strictObject({
  toolUseId,
  name: toolName,
  input: z.record(z.string(), z.unknown()),
  type: z.literal('server_tool_use').optional(),
});

const RESULT_MEMBERS = ['text', 'json', 'image', 'document', 'video'];
const toolResult = z.strictObject({
  toolUseId,
  content: z
    .array(
      z
        .strictObject({
          text: z.string().min(1).optional(),
          json: z.record(z.string(), z.unknown()).optional(),
          image: image.optional(),
          document: document.optional(),
          video: video.optional(),
        })
        .refine(oneMember(RESULT_MEMBERS), 'has one member'),
    )
    .min(1),
  status: z.enum(['success', 'error']).optional(),
  type: z.string().optional(),
});

const reasoningContent = z
  .strictObject({
    reasoningText: z.strictObject({ text: z.string(), signature: z.string().min(1).optional() }).optional(),
    redactedContent: bytes.optional(),
  })
  .refine(oneMember(['reasoningText', 'redactedContent']), 'has one member');

const BLOCK_MEMBERS = {
  text: nonEmptyText.optional(),
  image: image.optional(),
  document: document.optional(),
  video: video.optional(),
  audio: audio.optional(),
  toolUse: toolUse.optional(),
  toolResult: toolResult.optional(),
  reasoningContent: reasoningContent.optional(),
  cachePoint: cachePoint.optional(),
  guardContent: z.unknown().optional(),
};
const block = z.strictObject(BLOCK_MEMBERS).refine(oneMember(Object.keys(BLOCK_MEMBERS)), 'has one member');
const message = z.strictObject({ role: z.enum(['user', 'assistant']), content: z.array(block).min(1) });

const SYSTEM_MEMBERS = {
  text: nonEmptyText.optional(),
  cachePoint: cachePoint.optional(),
  guardContent: z.unknown().optional(),
};
const TOOL_MEMBERS = {
  toolSpec: z
    .strictObject({
      name: toolName,
      description: z.string().min(1).optional(),
      inputSchema: z.strictObject({ json: z.looseObject({ type: z.literal('object') }) }),
      strict: z.boolean().optional(),
    })
    .optional(),
  systemTool: z.strictObject({ name: toolName }).optional(),
  cachePoint: cachePoint.optional(),
};
const CHOICE_MEMBERS = {
  auto: z.strictObject({}).optional(),
  any: z.strictObject({}).optional(),
  tool: z.strictObject({ name: toolName }).optional(),
};

const shape = z.strictObject({
  messages: z.array(message).min(1),
  system: z
    .array(z.strictObject(SYSTEM_MEMBERS).refine(oneMember(Object.keys(SYSTEM_MEMBERS)), 'has one member'))
    .optional(),
  inferenceConfig: z
    .strictObject({
      maxTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(1).optional(),
      topP: z.number().min(0).max(1).optional(),
      stopSequences: z.array(z.string().min(1)).max(2500).optional(),
    })
    .optional(),
  toolConfig: z
    .strictObject({
      tools: z
        .array(z.strictObject(TOOL_MEMBERS).refine(oneMember(Object.keys(TOOL_MEMBERS)), 'has one member'))
        .min(1),
      toolChoice: z
        .strictObject(CHOICE_MEMBERS)
        .refine(oneMember(Object.keys(CHOICE_MEMBERS)), 'has one member')
        .optional(),
    })
    .optional(),
  outputConfig: z
    .strictObject({
      textFormat: z
        .strictObject({
          type: z.literal('json_schema'),
          structure: z.strictObject({
            jsonSchema: z.strictObject({
              schema: z.string().refine((text) => typeof JSON.parse(text) === 'object', 'is JSON'),
              name: z.string().optional(),
              description: z.string().optional(),
            }),
          }),
        })
        .optional(),
    })
    .optional(),
  additionalModelRequestFields: z.record(z.string(), z.unknown()).optional(),
  additionalModelResponseFieldPaths: z.array(z.string()).max(10).optional(),
  guardrailConfig: z.looseObject({}).optional(),
  performanceConfig: z.strictObject({ latency: z.enum(['standard', 'optimized']) }).optional(),
  promptVariables: z.record(z.string(), z.unknown()).optional(),
  requestMetadata: z
    .record(
      z.string().regex(/^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/),
      z.string().regex(/^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/),
    )
    .optional(),
  serviceTier: z.strictObject({ type: z.enum(['priority', 'default', 'flex', 'reserved']) }).optional(),
});

type Request = z.infer<typeof shape>;
type Block = Request['messages'][number]['content'][number];

export const bedrockConverseRequest = shape.superRefine((request, context) => {
  faultsOf(request, [alternation, pairing, toolRules, documents, cachePoints, thinkingRules], context);
});

function* alternation({ messages }: Request): Generator<Fault> {
  if (messages[0]?.role !== 'user') yield ['messages.0', 'the first message is of the user'];
  for (const [index, { role }] of messages.entries())
    if (messages[index - 1]?.role === role) yield [`messages.${index}`, 'roles alternate'];
}

/** The next turn has the results of all calls of this one, and no others. */
function* pairing({ messages }: Request): Generator<Fault> {
  for (const [index, { role, content }] of messages.entries()) {
    const calls = callsOf(content);
    const next = messages[index + 1];
    const results = resultsOf(next?.content ?? []);
    if (new Set(calls).size < calls.length) yield [`messages.${index}`, 'ids of toolUse are unique'];
    if (next !== undefined && !sameIds(calls, results))
      yield [`messages.${index + 1}`, 'results answer exactly the calls of the turn before'];
    if (role === 'user' && calls.length > 0) yield [`messages.${index}`, 'the assistant calls'];
    if ((role === 'assistant' || index === 0) && resultsOf(content).length > 0)
      yield [`messages.${index}`, 'results stand in a turn of the user that follows a call'];
  }
}

function callsOf(content: readonly Block[]): readonly string[] {
  return content.flatMap(({ toolUse }) => (toolUse === undefined || toolUse.type ? [] : [toolUse.toolUseId]));
}

function resultsOf(content: readonly Block[]): readonly string[] {
  return content.flatMap(({ toolResult }) =>
    toolResult === undefined || toolResult.type ? [] : [toolResult.toolUseId],
  );
}

function sameIds(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify([...left].sort()) === JSON.stringify([...right].sort());
}

function* toolRules({ messages, toolConfig }: Request): Generator<Fault> {
  const names = (toolConfig?.tools ?? []).flatMap(
    ({ toolSpec, systemTool }) => toolSpec?.name ?? systemTool?.name ?? [],
  );
  if (new Set(names).size < names.length) yield ['toolConfig', 'names are unique'];
  const used = messages.some(({ content }) => content.some((block) => block.toolUse ?? block.toolResult));
  if (used && names.length === 0) yield ['toolConfig', 'is needed where messages have calls or results'];
  const chosen = toolConfig?.toolChoice?.tool?.name;
  if (chosen !== undefined && !names.includes(chosen)) yield ['toolConfig.toolChoice', 'names a tool that there is'];
}

function* documents({ messages }: Request): Generator<Fault> {
  const all = messages.flatMap(({ content }) => content.flatMap(({ document }) => document ?? []));
  if (all.length > 5) yield ['messages', 'there are at most 5 documents'];
  const names = all.map(({ name }) => name);
  if (new Set(names).size < names.length) yield ['messages', 'names of documents are unique'];
  for (const [index, { content }] of messages.entries())
    if (content.some((block) => block.document) && !content.some((block) => block.text))
      yield [`messages.${index}`, 'a document has a text beside it'];
}

function* cachePoints(request: Request): Generator<Fault> {
  const lists: readonly (readonly { cachePoint?: unknown }[])[] = [
    request.system ?? [],
    request.toolConfig?.tools ?? [],
    ...request.messages.map(({ content }) => content),
  ];
  if (lists.flat().filter(({ cachePoint }) => cachePoint !== undefined).length > 4)
    yield ['', 'a request has at most 4 cache points'];
  if (lists.some(([first]) => first?.cachePoint !== undefined)) yield ['', 'a cache point follows what it caches'];
}

function* thinkingRules({ additionalModelRequestFields, inferenceConfig, toolConfig }: Request): Generator<Fault> {
  const thinking = additionalModelRequestFields?.['thinking'];
  const on = typeof thinking === 'object' && thinking !== null && !('type' in thinking && thinking.type === 'disabled');
  if (!on) return;
  const budget = 'budget_tokens' in thinking ? thinking.budget_tokens : null;
  if (inferenceConfig?.temperature !== undefined && inferenceConfig.temperature !== 1)
    yield ['inferenceConfig.temperature', 'is absent with thinking'];
  if (inferenceConfig?.topP !== undefined && inferenceConfig.topP < 0.95)
    yield ['inferenceConfig.topP', 'is absent with thinking'];
  if (typeof budget === 'number' && (toolConfig?.toolChoice?.any ?? toolConfig?.toolChoice?.tool))
    yield ['toolConfig.toolChoice', 'is not forced with thinking'];
  if (typeof budget === 'number' && budget >= (inferenceConfig?.maxTokens ?? Number.POSITIVE_INFINITY))
    yield ['additionalModelRequestFields.thinking', 'the budget is less than maxTokens'];
}
