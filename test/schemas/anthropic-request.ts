import { z } from 'zod';
import { type Fault, faultsOf, isBase64, nonEmptyText } from './request-rules.js';

/**
 * What Anthropic's Messages API accepts, by its API reference and the types of its client: member names, value ranges, and the
 * rules between members that the API answers with a 400. https://docs.anthropic.com/en/api/messages
 */

const cacheControl = z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() }).nullish();
const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/);
const toolId = z.string().regex(/^[a-zA-Z0-9_-]+$/);
const url = z.string().regex(/^https?:\/\/./);
const base64 = z.string().refine(isBase64, 'is base64');

const text = z.strictObject({
  type: z.literal('text'),
  text: nonEmptyText,
  cache_control: cacheControl,
  citations: z.array(z.unknown()).nullish(),
});

const image = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
      data: base64,
    }),
    z.strictObject({ type: z.literal('url'), url }),
    z.strictObject({ type: z.literal('file'), file_id: z.string().min(1) }),
  ]),
  cache_control: cacheControl,
});

const document = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('base64'), media_type: z.literal('application/pdf'), data: base64 }),
    z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() }),
    z.strictObject({ type: z.literal('content'), content: z.union([z.string(), z.array(z.union([text, image]))]) }),
    z.strictObject({ type: z.literal('url'), url }),
    z.strictObject({ type: z.literal('file'), file_id: z.string().min(1) }),
  ]),
  cache_control: cacheControl,
  citations: z.strictObject({ enabled: z.boolean().optional() }).nullish(),
  context: z.string().nullish(),
  title: z.string().nullish(),
});

const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: toolId,
  name: toolName,
  input: z.record(z.string(), z.unknown()),
  cache_control: cacheControl,
  caller: z.unknown().optional(),
});

const toolReference = z.strictObject({ type: z.literal('tool_reference'), tool_name: z.string() });
const searchResult = z.looseObject({ type: z.literal('search_result') });

const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: toolId,
  content: z
    .union([z.string(), z.array(z.discriminatedUnion('type', [text, image, document, searchResult, toolReference]))])
    .optional(),
  is_error: z.boolean().optional(),
  cache_control: cacheControl,
});

const thinking = z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string().min(1) });
const redacted = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string().min(1) });
/** Blocks of tools that Anthropic runs; they come back as they were sent. */
const hosted = z.looseObject({ type: z.string().regex(/^(server_tool_use|container_upload|\w+_tool_result)$/) });

const userMessage = z.strictObject({
  role: z.literal('user'),
  content: z.union([nonEmptyText, z.array(z.union([text, image, document, searchResult, toolResult, hosted])).min(1)]),
});
const assistantMessage = z.strictObject({
  role: z.literal('assistant'),
  content: z.union([nonEmptyText, z.array(z.union([text, thinking, redacted, toolUse, hosted])).min(1)]),
});

const ownTool = z.strictObject({
  type: z.literal('custom').nullish(),
  name: toolName,
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal('object') }),
  strict: z.boolean().optional(),
  cache_control: cacheControl,
  defer_loading: z.boolean().optional(),
  eager_input_streaming: z.boolean().nullish(),
  input_examples: z.array(z.record(z.string(), z.unknown())).optional(),
  allowed_callers: z.array(z.string()).optional(),
});
/** Tools that Anthropic defines have a date in their type. */
const hostedTool = z.looseObject({ type: z.string().regex(/_\d{8}$/), name: toolName });

const parallel = { disable_parallel_tool_use: z.boolean().optional() };
const display = z.enum(['summarized', 'omitted']).nullish();

const shape = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1),
  messages: z.array(z.discriminatedUnion('role', [userMessage, assistantMessage])).min(1),
  system: z.union([nonEmptyText, z.array(text)]).optional(),
  tools: z.array(z.union([ownTool, hostedTool])).optional(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('auto'), ...parallel }),
      z.strictObject({ type: z.literal('any'), ...parallel }),
      z.strictObject({ type: z.literal('none') }),
      z.strictObject({ type: z.literal('tool'), name: toolName, ...parallel }),
    ])
    .optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().min(1024), display }),
      z.strictObject({ type: z.literal('disabled') }),
      z.strictObject({ type: z.literal('adaptive'), display }),
    ])
    .optional(),
  output_config: z
    .strictObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      format: z.strictObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) }).nullish(),
    })
    .optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  stop_sequences: z.array(nonEmptyText).optional(),
  stream: z.boolean().optional(),
  metadata: z.strictObject({ user_id: z.string().max(256).nullish() }).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  container: z.unknown().optional(),
  cache_control: cacheControl,
  mcp_servers: z.array(z.unknown()).optional(),
  context_management: z.unknown().optional(),
});

type Request = z.infer<typeof shape>;
type Message = Request['messages'][number];
interface Block {
  readonly type: string;
  readonly [member: string]: unknown;
}

export const anthropicRequest = shape.superRefine((request, context) => {
  faultsOf(request, [cacheBreakpoints, thinkingRules, toolRules, pairing, order], context);
});

function blocksOf(message: Message): readonly Block[] {
  return typeof message.content === 'string' ? [] : (message.content as readonly Block[]);
}

function* cacheBreakpoints(request: Request): Generator<Fault> {
  const count = JSON.stringify(request, (key, value) =>
    key === 'input' || key === 'input_schema' ? undefined : value,
  );
  if (count.split('"cache_control":{').length - 1 > 4) yield ['', 'a request has at most 4 cache breakpoints'];
}

function* thinkingRules(request: Request): Generator<Fault> {
  if (request.thinking === undefined || request.thinking.type === 'disabled') return;
  if (request.thinking.type === 'enabled' && request.thinking.budget_tokens >= request.max_tokens)
    yield ['thinking', 'the budget is less than max_tokens'];
  if (request.temperature !== undefined && request.temperature !== 1) yield ['temperature', 'is 1 with thinking'];
  if (request.top_k !== undefined) yield ['top_k', 'is absent with thinking'];
  if (request.top_p !== undefined && request.top_p < 0.95) yield ['top_p', 'is at least 0.95 with thinking'];
  const choice = request.tool_choice?.type;
  // With adaptive thinking, models from Claude 4.8 on can be made to call a tool.
  const barred = request.thinking.type === 'enabled' || /-4-[67](-|$)/.test(request.model);
  if (barred && (choice === 'any' || choice === 'tool')) yield ['tool_choice', 'is not forced with thinking'];
}

function* toolRules(request: Request): Generator<Fault> {
  const names = (request.tools ?? []).map((tool) => tool.name);
  if (new Set(names).size < names.length) yield ['tools', 'names are unique'];
  if (request.tool_choice !== undefined && names.length === 0) yield ['tool_choice', 'needs tools'];
  if (request.tool_choice?.type === 'tool' && !names.includes(request.tool_choice.name))
    yield ['tool_choice', 'names a tool that there is'];
  const used = request.messages.some((message) => blocksOf(message).some((block) => block.type === 'tool_use'));
  if (used && names.length === 0) yield ['tools', 'are needed where messages have tool_use'];
}

/** Every call is answered in the next message, and every result answers a call of the message before. */
function* pairing(request: Request): Generator<Fault> {
  const messages = merged(request.messages);
  const seen = new Set<unknown>();
  for (const [index, { role, blocks }] of messages.entries()) {
    const calls = blocks.filter((block) => block.type === 'tool_use').map((block) => block['id']);
    for (const id of calls) {
      if (seen.has(id)) yield [`messages.${index}`, 'ids of tool_use are unique'];
      seen.add(id);
    }
    const next = messages[index + 1];
    const answered = (next?.blocks ?? []).filter(isResult).map((block) => block['tool_use_id']);
    if (next !== undefined && calls.some((id) => !answered.includes(id)))
      yield [`messages.${index}`, 'every tool_use has its tool_result in the next message'];
    const before = (messages[index - 1]?.blocks ?? []).filter((block) => block.type === 'tool_use');
    const results = role === 'user' ? blocks.filter(isResult).map((block) => block['tool_use_id']) : [];
    if (results.some((id) => !before.some((call) => call['id'] === id)))
      yield [`messages.${index}`, 'every tool_result answers a tool_use of the message before'];
    if (new Set(results).size < results.length) yield [`messages.${index}`, 'a tool_use has one tool_result'];
  }
}

function* order(request: Request): Generator<Fault> {
  const messages = merged(request.messages);
  if (messages[0]?.role !== 'user') yield ['messages.0', 'the first message is of the user'];
  for (const [index, { blocks }] of messages.entries()) {
    const first = blocks.findIndex((block) => !isResult(block));
    if (first >= 0 && blocks.slice(first).some(isResult))
      yield [`messages.${index}`, 'results of tools come before everything else'];
  }
  const last = request.messages.at(-1);
  if (last?.role === 'assistant' && typeof last.content === 'string' && /\s$/.test(last.content))
    yield ['messages', 'the last message of the assistant does not end with white space'];
}

function isResult(block: Block): boolean {
  return block.type === 'tool_result';
}

/** Neighbours of one role are one turn for the API. */
function merged(messages: readonly Message[]): readonly { readonly role: string; readonly blocks: Block[] }[] {
  const turns: { role: string; blocks: Block[] }[] = [];
  for (const message of messages) {
    const blocks = typeof message.content === 'string' ? [{ type: 'text' }] : blocksOf(message);
    const last = turns.at(-1);
    if (last?.role === message.role) last.blocks.push(...blocks);
    else turns.push({ role: message.role, blocks: [...blocks] });
  }
  return turns;
}
