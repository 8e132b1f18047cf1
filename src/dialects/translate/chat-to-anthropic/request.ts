import { type ClaudeModel, claudeModel } from '../../anthropic/models.js';
import { isObject, type JsonObject, listIn, stringIn } from '../../json-value.js';
import { statedAmount } from '../../stated-amount.js';
import { CACHE_CONTROL } from '../hub.js';
import type { Losses } from '../losses.js';
import type { TranslationContext } from '../translation.js';
import { type AnswerFormat, choiceWithAnswer, chooseFormat } from './answer-format.js';
import { withinBreakpoints } from './cache-breakpoints.js';
import { type Conversation, convertMessages } from './messages.js';
import { convertSampling } from './sampling.js';
import { chooseThinking, isThinking, type Thinking } from './thinking.js';
import { convertTools, isForced, placeholderTools, type Tools } from './tools.js';

/** A request for Anthropic, and what must be known to read its answer. */
export interface AnthropicCall extends AnswerMemory {
  readonly body: JsonObject;
}

/** What an answer must know of its request. */
export interface AnswerMemory {
  /** Calls of this tool are the answer's content; null = there is none. */
  readonly answerTool: string | null;
  /** Calls are told as `function_call`. */
  readonly legacyFunctions: boolean;
}

/** A chat request as `POST /v1/messages` takes it. https://platform.claude.com/docs/en/api/messages */
export function convertRequest(request: JsonObject, context: TranslationContext): AnthropicCall {
  const { losses } = context;
  const model = claudeModel(context.model);
  const own = ownMembers(request, losses);
  const conversation = convertMessages(listIn(request, 'messages'), losses);
  const tools = convertTools(request, { ...model, losses });
  const format = chooseFormat(request['response_format'], { model, tools, losses });
  const offered = offer(tools, format, conversation);
  const bound = boundOf(request, context, model);
  const forced = isForced(offered.choice);
  const budgetBarred = forced || conversation.thoughtsLost;
  const chosen = chooseThinking(request, { model, losses, ...bound, budgetBarred });
  const thought = forced ? besideForcedTool(chosen, model, losses) : chosen;
  const sampling = convertSampling(request, { model, thinking: isThinking(thought.thinking), losses });
  if (conversation.messages.length === 0)
    return losses.refuse('messages', 'it needs at least one message of the user that is not empty');
  const {
    system,
    messages,
    tools: sent,
  } = withinBreakpoints(
    {
      system: [...conversation.system, ...instructionBlocks(format)],
      messages: conversation.messages,
      tools: offered.tools,
    },
    losses,
  );
  const outputConfig = {
    ...(thought.effort === null ? {} : { effort: thought.effort }),
    ...(format.format === null ? {} : { format: format.format }),
  };
  const body = {
    model: context.model,
    max_tokens: thought.maxTokens,
    ...(system.length > 0 ? { system } : {}),
    messages,
    ...(sent.length > 0 ? { tools: sent } : {}),
    ...(offered.choice === null ? {} : { tool_choice: offered.choice }),
    ...(thought.thinking === null ? {} : { thinking: thought.thinking }),
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : {}),
    ...sampling,
    ...own,
    ...(context.stream ? { stream: true } : {}),
  };
  const answerTool = format.answerTool === null ? null : (stringIn(format.answerTool, 'name') ?? null);
  return { body, answerTool, legacyFunctions: tools.legacy };
}

/** Up to Claude 4.7, no thinking goes with a tool that must be called; later models think adaptively all the same. */
function besideForcedTool(thought: Thinking, model: ClaudeModel, losses: Losses): Thinking {
  if (thought.thinking?.['type'] !== 'adaptive' || model.version > 4.7) return thought;
  losses.drop('thinking');
  return { ...thought, thinking: null };
}

interface Bound {
  readonly maxTokens: number;
  readonly maxIsGiven: boolean;
}

function boundOf(request: JsonObject, context: TranslationContext, model: ClaudeModel): Bound {
  const asked = boundIn(request, 'max_completion_tokens') ?? boundIn(request, 'max_tokens');
  const cap = context.outputCap;
  const given = asked === null ? cap : Math.min(asked, cap ?? asked);
  return { maxTokens: given ?? Math.min(context.defaultOutputTokens, model.maxOutput), maxIsGiven: given !== null };
}

/** 0 and less bound nothing. */
function boundIn(request: JsonObject, name: string): number | null {
  return statedAmount(request, name) || null;
}

function offer(tools: Tools, { answerTool }: AnswerFormat, { called }: Conversation): Pick<Tools, 'tools' | 'choice'> {
  if (answerTool !== null) return { tools: [...tools.tools, answerTool], choice: choiceWithAnswer(tools, answerTool) };
  if (tools.tools.length > 0 || called.size === 0) return tools;
  return { tools: placeholderTools(called), choice: { type: 'none' } };
}

function instructionBlocks({ instruction }: AnswerFormat): readonly JsonObject[] {
  return instruction === null ? [] : [{ type: 'text', text: instruction }];
}

/** Gives members of Anthropic's request; drops and refuses what it cannot. */
type MemberHandler = (value: unknown, losses: Losses, request: JsonObject) => JsonObject;

const NOTHING: JsonObject = {};
const readElsewhere: MemberHandler = () => NOTHING;

/** No loss where the value is what OpenAI's API assumes anyway. */
function droppedUnless(name: string, isNeutral: (value: unknown) => boolean): [string, MemberHandler] {
  return [
    name,
    (value, losses) => {
      if (!isNeutral(value)) losses.drop(name);
      return NOTHING;
    },
  ];
}

const isZero = (value: unknown): boolean => value === 0;
const isFalse = (value: unknown): boolean => value === false;
const isEmpty = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;

const MEMBERS: ReadonlyMap<string, MemberHandler> = new Map<string, MemberHandler>([
  ...[
    ...['model', 'messages', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens', 'temperature', 'top_p'],
    ...['top_k', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call', 'response_format'],
    ...['reasoning_effort', 'thinking'],
  ].map((name): [string, MemberHandler] => [name, readElsewhere]),
  ['n', oneAnswer],
  ['stop', stopSequences],
  ['user', (value, losses) => userId('user', value, losses)],
  [
    'safety_identifier',
    (value, losses, request) => (request['user'] ? NOTHING : userId('safety_identifier', value, losses)),
  ],
  ['service_tier', serviceTier],
  ['modalities', textOnly],
  [
    'web_search_options',
    (_value, losses) => losses.refuse('web_search_options', 'searching the web is not translated'),
  ],
  [CACHE_CONTROL, (value) => (isObject(value) ? { [CACHE_CONTROL]: value } : NOTHING)],
  droppedUnless('frequency_penalty', isZero),
  droppedUnless('presence_penalty', isZero),
  droppedUnless('top_logprobs', isZero),
  droppedUnless('logprobs', isFalse),
  droppedUnless('store', isFalse),
  droppedUnless('logit_bias', isEmpty),
  droppedUnless('metadata', isEmpty),
  droppedUnless('verbosity', (value) => value === 'medium'),
]);

function ownMembers(request: JsonObject, losses: Losses): JsonObject {
  const taken: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request)) {
    if (value === null || value === undefined) continue;
    const handler = MEMBERS.get(name);
    if (handler === undefined) losses.drop(name);
    else Object.assign(taken, handler(value, losses, request));
  }
  return taken;
}

function oneAnswer(value: unknown, losses: Losses): JsonObject {
  return value === 1 ? NOTHING : losses.refuse('n', 'it gives one answer at a time');
}

/** Anthropic refuses sequences of white space alone. */
function stopSequences(value: unknown, losses: Losses): JsonObject {
  const given = (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string');
  const sequences = given.filter((each) => each.trim() !== '');
  if (sequences.length < given.length) losses.drop('stop');
  return sequences.length > 0 ? { stop_sequences: sequences } : NOTHING;
}

const EMAIL = /[^\s@]@[^\s@]+\.[^\s@]/;

/** Anthropic takes opaque ids only, and refuses what looks like an address. */
function userId(field: string, value: unknown, losses: Losses): JsonObject {
  if (typeof value !== 'string' || value === '') return NOTHING;
  if (value.length <= 256 && !EMAIL.test(value)) return { metadata: { user_id: value } };
  losses.drop(field);
  return NOTHING;
}

const TIERS: Readonly<Record<string, string>> = {
  auto: 'auto',
  default: 'standard_only',
  standard_only: 'standard_only',
};

function serviceTier(value: unknown, losses: Losses): JsonObject {
  const tier = TIERS[String(value)];
  if (tier !== undefined) return { service_tier: tier };
  losses.drop('service_tier');
  return NOTHING;
}

function textOnly(value: unknown, losses: Losses): JsonObject {
  const wanted = Array.isArray(value) ? value : [];
  return wanted.every((each) => each === 'text') ? NOTHING : losses.refuse('modalities', 'it answers in text only');
}
