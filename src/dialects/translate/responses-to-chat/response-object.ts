import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';

/** What every Response of one answer has in common: most of it echoes the request, as OpenAI does, with its defaults. */
export function responseFrame(request: JsonObject, context: TranslationContext): JsonObject {
  return {
    id: `resp_${plainId(context.id)}`,
    object: 'response',
    created_at: context.created,
    status: 'in_progress',
    background: false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    instructions: stringIn(request, 'instructions'),
    max_output_tokens: request['max_output_tokens'] ?? null,
    max_tool_calls: request['max_tool_calls'] ?? null,
    model: context.model,
    output: [],
    parallel_tool_calls: request['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    prompt_cache_key: stringIn(request, 'prompt_cache_key'),
    reasoning: reasoningOf(request),
    safety_identifier: stringIn(request, 'safety_identifier'),
    service_tier: 'default',
    store: false,
    temperature: request['temperature'] ?? 1,
    top_p: request['top_p'] ?? 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    text: { format: { type: 'text' }, ...statedMembers(objectIn(request, 'text')) },
    tool_choice: request['tool_choice'] ?? 'auto',
    tools: listIn(request, 'tools').filter(isObject).map(echoTool),
    top_logprobs: request['top_logprobs'] ?? 0,
    truncation: 'disabled',
    access_programs: null,
    usage: null,
    user: stringIn(request, 'user'),
    metadata: objectIn(request, 'metadata') ?? {},
  };
}

/** The base of every id of an answer: letters and digits only, as clients expect behind `resp_`. */
export function plainId(id: string): string {
  return id.replace(/[^a-zA-Z0-9]/g, '');
}

/** OpenAI's closed list; providers have tiers of their own. */
const TIERS: ReadonlySet<unknown> = new Set(['auto', 'default', 'flex', 'scale', 'priority']);

export function tierOf(answer: JsonObject): JsonObject {
  const tier = answer['service_tier'];
  return TIERS.has(tier) ? { service_tier: tier } : {};
}

function reasoningOf(request: JsonObject): JsonObject {
  const stated = objectIn(request, 'reasoning');
  return { effort: stringIn(stated, 'effort'), summary: stringIn(stated, 'summary') };
}

function statedMembers(from: JsonObject | null): JsonObject {
  return Object.fromEntries(Object.entries(from ?? {}).filter(([, value]) => value !== null && value !== undefined));
}

/** Strict clients want these members of a function, whether they were sent or not. */
function echoTool(tool: JsonObject): JsonObject {
  if (tool['type'] !== 'function') return tool;
  return { description: null, ...tool, parameters: tool['parameters'] ?? null, strict: tool['strict'] ?? null };
}
