import { normaliseConverseUsage } from '../../bedrock/usage.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { chatUsage } from '../../stated-usage.js';
import { emptyUsage } from '../../usage.js';
import { REASONING, THINKING_BLOCKS } from '../hub.js';
import type { TranslationContext } from '../translation.js';
import { finishReason, stopSequence } from './finish.js';
import type { AnswerTools } from './request.js';
import { readThought } from './thoughts.js';

/** What is gathered from the blocks of an answer. */
interface Gathered {
  readonly tools: AnswerTools;
  readonly id: string;
  text: string;
  /** Input of the tool that takes the answer; null while it was not called. */
  answer: string | null;
  reasoning: string;
  readonly thoughts: JsonObject[];
  readonly calls: JsonObject[];
}

type BlockReader = (member: JsonObject, gathered: Gathered) => void;

/** Converse's blocks have one member, which is their kind. Results of the provider's own tools are not for the client. */
const READERS: readonly (readonly [string, BlockReader])[] = [
  ['reasoningContent', readReasoning],
  ['toolUse', readCall],
  ['citationsContent', readCited],
];

export function chatAnswer(body: JsonObject, context: TranslationContext, tools: AnswerTools): JsonObject {
  const gathered = gather(listIn(objectIn(objectIn(body, 'output'), 'message'), 'content'), context.id, tools);
  const sequence = stopSequence(body);
  const usage = normaliseConverseUsage(objectIn(body, 'usage') ?? {}) ?? emptyUsage();
  return {
    id: `chatcmpl-${context.id}`,
    object: 'chat.completion',
    created: context.created,
    model: context.model,
    choices: [
      {
        index: 0,
        message: messageOf(gathered),
        logprobs: null,
        finish_reason: finishReason(stringIn(body, 'stopReason'), gathered.calls.length),
        ...(sequence === null ? {} : { stop_sequence: sequence }),
      },
    ],
    usage: chatUsage(usage),
    ...tierOf(body),
  };
}

/** Converse names the tier only where one was asked for. */
export function tierOf(from: JsonObject): JsonObject {
  const tier = stringIn(objectIn(from, 'serviceTier'), 'type');
  return tier === null ? {} : { service_tier: tier };
}

/** The id of a call that the provider gave none. */
export function callId(stated: string | null, id: string, index: number): string {
  return stated === null || stated === '' ? `call_${id}_${index}` : stated;
}

function gather(content: readonly unknown[], id: string, tools: AnswerTools): Gathered {
  const gathered: Gathered = { tools, id, text: '', answer: null, reasoning: '', thoughts: [], calls: [] };
  for (const block of content) {
    gathered.text += stringIn(block, 'text') ?? '';
    for (const [member, read] of READERS) {
      const value = objectIn(block, member);
      if (value !== null) read(value, gathered);
    }
  }
  return gathered;
}

function messageOf({ text, answer, reasoning, thoughts, calls }: Gathered): JsonObject {
  const content = answer ?? text;
  return {
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    refusal: null,
    ...(reasoning === '' ? {} : { [REASONING]: reasoning }),
    ...(thoughts.length === 0 ? {} : { [THINKING_BLOCKS]: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function readReasoning(content: JsonObject, gathered: Gathered): void {
  gathered.reasoning += stringIn(objectIn(content, 'reasoningText'), 'text') ?? '';
  const thought = readThought(content);
  if (thought !== null) gathered.thoughts.push(thought);
}

function readCall(call: JsonObject, gathered: Gathered): void {
  const { tools, calls, id } = gathered;
  const name = stringIn(call, 'name') ?? '';
  if (call['type'] === 'server_tool_use' || tools.hidden.has(name)) return;
  const input = JSON.stringify(isObject(call['input']) ? call['input'] : {});
  if (name === tools.answer) {
    gathered.answer = input;
    return;
  }
  calls.push({
    id: callId(stringIn(call, 'toolUseId'), id, calls.length),
    type: 'function',
    function: { name: tools.names.get(name) ?? name, arguments: input },
  });
}

/** The text that is backed by sources; chat has no place for sources that are not on the web. */
function readCited(cited: JsonObject, gathered: Gathered): void {
  for (const part of listIn(cited, 'content')) gathered.text += stringIn(part, 'text') ?? '';
}
