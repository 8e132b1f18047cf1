import { createHash } from 'node:crypto';
import { amountIn, isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import { unsupported } from '../losses.js';
import type { TranslationContext } from '../translation.js';
import { assistantMessages } from './assistant-turn.js';
import { cacheControl, dropRest } from './blocks.js';
import { chatResponseFormat } from './output-format.js';
import { systemMessages } from './system.js';
import { chatThinking } from './thinking.js';
import type { ToolNames } from './tool-names.js';
import { chatToolChoice, chatTools } from './tools.js';
import { userMessages } from './user-turn.js';

/** OpenAI's bound on `user`. */
const LONGEST_USER = 64;

/** Members of the request that are read by name below. */
const READ: ReadonlySet<string> = new Set(
  `model messages system max_tokens stream tools tool_choice thinking output_config output_format cache_control
  anthropic_version`.split(/\s+/),
);

/** What each other member says to a chat model. Those without an entry are dropped by name. */
type Member = (value: unknown, context: TranslationContext) => JsonObject;

const MEMBERS: ReadonlyMap<string, Member> = new Map<string, Member>([
  ['temperature', (temperature) => ({ temperature })],
  ['top_p', (top_p) => ({ top_p })],
  ['top_k', (top_k, context) => (context.extended ? { top_k } : dropped('top_k', context))],
  ['stop_sequences', (stop) => (Array.isArray(stop) && stop.length > 0 ? { stop } : {})],
  ['metadata', chatUser],
  ['service_tier', (tier, context) => (tier === 'auto' ? {} : dropped('service_tier', context))],
  ['speed', (speed, context) => (speed === 'standard' ? {} : dropped('speed', context))],
  ['context_management', contextManagement],
  ['container', (_, context) => context.losses.refuse('container', "it runs in Anthropic's own service")],
  ['thread', (_, context) => context.losses.refuse('thread', "it is kept by Anthropic's own service")],
  [
    'mcp_servers',
    (servers, context) =>
      Array.isArray(servers) && servers.length === 0
        ? {}
        : context.losses.refuse('mcp_servers', "they are called by Anthropic's own service"),
  ],
  [
    'inference_geo',
    (place, context) =>
      place === 'global' ? {} : context.losses.refuse('inference_geo', 'nobody there promises a place'),
  ],
]);

/** An Anthropic request as one of chat completions. */
export function chatRequest(request: JsonObject, names: ToolNames, context: TranslationContext): JsonObject {
  const body: Record<string, unknown> = { model: context.model, messages: chatMessages(request, names, context) };
  for (const [name, value] of Object.entries(request)) {
    if (value === null || READ.has(name)) continue;
    const member = MEMBERS.get(name);
    if (member === undefined) context.losses.drop(name);
    else Object.assign(body, member(value, context));
  }
  dropRest(objectIn(request, 'output_config') ?? {}, new Set(['effort', 'format']), 'output_config', context);
  return {
    ...body,
    ...outputBound(request, context),
    ...chatTools(request['tools'] ?? [], names, context),
    ...chatToolChoice(request, names, context),
    ...chatThinking(request, context),
    ...chatResponseFormat(request, context),
    ...streaming(context),
  };
}

function chatMessages(request: JsonObject, names: ToolNames, context: TranslationContext): readonly JsonObject[] {
  const turns = request['messages'];
  if (!Array.isArray(turns) || !turns.every(isObject)) {
    throw unsupported('messages', '"messages" must be a list of objects.');
  }
  if (turns.at(-1)?.['role'] === 'assistant' && !context.extended) {
    context.losses.refuse('messages', 'the last of them is an answer to go on with, and it would begin a new one');
  }
  const system = systemMessages(request['system'] ?? '', context);
  const messages = [...system, ...turns.flatMap((turn) => turnMessages(turn, names, context))];
  const last = messages.at(-1);
  // Anthropic's automatic caching: a breakpoint at the end.
  const hint = cacheControl({ [CACHE_CONTROL]: request[CACHE_CONTROL] }, context);
  return last === undefined ? [] : [...messages.slice(0, -1), { ...last, ...hint }];
}

function turnMessages(turn: JsonObject, names: ToolNames, context: TranslationContext): readonly JsonObject[] {
  const { role, content } = turn;
  dropRest(turn, new Set(['role', 'content']), 'messages[]', context);
  if (role === 'assistant') return assistantMessages(content, names, context);
  if (role === 'system') return systemMessages(content, context);
  if (role === 'user') return userMessages(content, context);
  throw unsupported('messages[].role', 'The role of a message must be "user", "assistant" or "system".');
}

/** Under the name that the provider knows. */
function outputBound(request: JsonObject, context: TranslationContext): JsonObject {
  const { outputCap, outputCapField, extended } = context;
  const asked = amountIn(request, 'max_tokens');
  const tokens = asked !== null && outputCap !== null ? Math.min(asked, outputCap) : (asked ?? outputCap);
  if (tokens === null) return {};
  return { [extended || outputCapField === 'max_completion_tokens' ? 'max_completion_tokens' : 'max_tokens']: tokens };
}

/** The client's dialect has usage in every stream; a translation behind this one is told so otherwise. */
function streaming({ stream, extended }: TranslationContext): JsonObject {
  if (!stream) return {};
  return extended ? { stream } : { stream, stream_options: { include_usage: true } };
}

/** A user that is longer than OpenAI takes (Claude Code's is) becomes its hash: still one user, still the same one. */
function chatUser(metadata: unknown, context: TranslationContext): JsonObject {
  dropRest(isObject(metadata) ? metadata : {}, new Set(['user_id']), 'metadata', context);
  const user = stringIn(metadata, 'user_id') ?? '';
  if (user === '') return {};
  return { user: user.length > LONGEST_USER ? createHash('sha256').update(user).digest('hex') : user };
}

/** What to clear away before the model reads. Thoughts go to no other provider; the rest makes requests longer, not different. */
function contextManagement(value: unknown, context: TranslationContext): JsonObject {
  const types = listIn(value, 'edits').map((edit) => stringIn(edit, 'type') ?? '');
  if (!types.every((type) => type.startsWith('clear_thinking'))) context.losses.drop('context_management');
  return {};
}

function dropped(field: string, { losses }: TranslationContext): JsonObject {
  losses.drop(field);
  return {};
}
