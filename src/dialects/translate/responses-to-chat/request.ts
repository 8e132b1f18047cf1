import { amountIn, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { takeOwnMembers } from '../own-members.js';
import type { TranslationContext } from '../translation.js';
import { chatMessages, inputItems, toolsInInput } from './input.js';
import { toolMembers } from './tool-choice.js';
import { ToolTable } from './tool-table.js';
import { chatTools } from './tools.js';

/** Members that are the same in chat. */
const OWN: ReadonlySet<string> = new Set(['temperature', 'top_p']);

/** Members that are read below, or say nothing about the answer. Every other one is dropped by name. */
const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'max_output_tokens',
  'top_logprobs',
  'include',
  'user',
  'safety_identifier',
  'service_tier',
  'stream',
  'stream_options',
  'store',
  'metadata',
  'truncation',
  'background',
  'previous_response_id',
  'conversation',
  'prompt',
]);

/** Members that need what only OpenAI stores. */
const STORED: Readonly<Record<string, string>> = {
  previous_response_id: 'earlier answers are not stored; send the whole conversation as "input"',
  conversation: 'conversations are not stored; send the whole conversation as "input"',
  prompt: 'prompts are stored at OpenAI only',
};

export interface ChatRequest {
  readonly body: JsonObject;
  readonly table: ToolTable;
}

/** The request as chat completions. */
export function chatRequest(request: JsonObject, context: TranslationContext): ChatRequest {
  refuseState(request, context);
  noteLosses(request, context);
  const table = new ToolTable();
  const items = inputItems(request['input'], context);
  const tools = chatTools([...listIn(request, 'tools'), ...toolsInInput(items)], table, context);
  const body = {
    model: context.model,
    messages: chatMessages(request, table, context),
    ...takeOwnMembers(request, { known: KNOWN, own: OWN }, context.losses),
    ...outputBound(request, context),
    ...toolMembers(request, tools, table, context),
    ...responseFormat(request, context),
    ...effort(request, context),
    ...logprobs(request),
    ...endUser(request, context),
    ...serviceTier(request),
    ...streamMembers(context),
  };
  return { body, table };
}

function refuseState(request: JsonObject, { losses }: TranslationContext): void {
  for (const [name, why] of Object.entries(STORED)) {
    const value = request[name];
    if (value !== undefined && value !== null) losses.refuse(name, why);
  }
  if (request['background'] === true) losses.refuse('background', 'answers are not stored');
}

/** What is left out although it says something. */
function noteLosses(request: JsonObject, { losses }: TranslationContext): void {
  if (request['store'] === true) losses.drop('store');
  if (Object.keys(objectIn(request, 'metadata') ?? {}).length > 0) losses.drop('metadata');
  if ((request['truncation'] ?? 'disabled') !== 'disabled') losses.drop('truncation');
  const text = objectIn(request, 'text');
  if ((text?.['verbosity'] ?? 'medium') !== 'medium') losses.drop('text.verbosity');
  const { context = null, mode = null } = objectIn(request, 'reasoning') ?? {};
  if (context !== null && context !== 'auto') losses.drop('reasoning.context');
  if (mode !== null && mode !== 'standard') losses.drop('reasoning.mode');
}

function outputBound(request: JsonObject, { outputCap, outputCapField }: TranslationContext): JsonObject {
  const asked = amountIn(request, 'max_output_tokens');
  const bound = Math.min(asked ?? Number.POSITIVE_INFINITY, outputCap ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(bound)) return {};
  return { [outputCapField === 'max_tokens' ? 'max_tokens' : 'max_completion_tokens']: bound };
}

function responseFormat(request: JsonObject, { losses }: TranslationContext): JsonObject {
  const format = objectIn(objectIn(request, 'text'), 'format');
  const type = stringIn(format, 'type') ?? 'text';
  if (type === 'text') return {};
  if (type === 'json_object') return { response_format: { type } };
  if (type !== 'json_schema') return losses.refuse('text.format', `it knows no format of type "${type.slice(0, 60)}"`);
  const { type: _, ...schema } = format ?? {};
  const stated = Object.entries(schema).filter(([, value]) => value !== null);
  return { response_format: { type, json_schema: Object.fromEntries(stated) } };
}

function effort(request: JsonObject, { takesEffort, losses }: TranslationContext): JsonObject {
  const stated = stringIn(objectIn(request, 'reasoning'), 'effort');
  if (stated === null) return {};
  if (takesEffort !== false) return { reasoning_effort: stated };
  losses.drop('reasoning.effort');
  return {};
}

/** They are sent only to a client that includes them. */
function logprobs(request: JsonObject): JsonObject {
  if (!listIn(request, 'include').includes('message.output_text.logprobs')) return {};
  const top = amountIn(request, 'top_logprobs') ?? 0;
  return { logprobs: true, ...(top > 0 ? { top_logprobs: top } : {}) };
}

/** Both names say who the end user is; chat's older one is known everywhere. */
function endUser(request: JsonObject, { losses }: TranslationContext): JsonObject {
  const user = stringIn(request, 'user');
  const identifier = stringIn(request, 'safety_identifier');
  if (user !== null && identifier !== null && user !== identifier) losses.drop('safety_identifier');
  const stated = user ?? identifier;
  return stated === null ? {} : { user: stated };
}

function serviceTier(request: JsonObject): JsonObject {
  const tier = stringIn(request, 'service_tier');
  return tier === null || tier === 'auto' || tier === 'default' ? {} : { service_tier: tier };
}

function streamMembers({ stream, extended }: TranslationContext): JsonObject {
  if (!stream) return {};
  return extended ? { stream } : { stream, stream_options: { include_usage: true } };
}
