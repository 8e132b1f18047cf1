import { normaliseMessagesUsage } from '../../anthropic/usage.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { chatUsage } from '../../stated-usage.js';
import { emptyUsage } from '../../usage.js';
import { REASONING, THINKING_BLOCKS } from '../hub.js';
import type { TranslationContext } from '../translation.js';
import { annotation } from './annotation.js';
import { finishReason } from './finish.js';
import type { AnswerMemory } from './request.js';

/** A whole answer of Anthropic's as a chat completion. */
export function convertResponse(body: JsonObject, call: AnswerMemory, context: TranslationContext): JsonObject {
  const reply = new Reply(call.answerTool, context.id);
  for (const block of listIn(body, 'content')) if (isObject(block)) reply.add(block);
  const stopReason = stringIn(body, 'stop_reason');
  const finish = finishReason({ stopReason, called: reply.calls.length > 0, legacyFunctions: call.legacyFunctions });
  const stopSequence = stringIn(body, 'stop_sequence');
  const usage = normaliseMessagesUsage(objectIn(body, 'usage') ?? {}) ?? emptyUsage();
  const tier = chatTier(stringIn(objectIn(body, 'usage'), 'service_tier'));
  return {
    id: `chatcmpl-${context.id}`,
    object: 'chat.completion',
    created: context.created,
    model: stringIn(body, 'model') ?? context.model,
    choices: [
      {
        index: 0,
        message: reply.message({ legacyFunctions: call.legacyFunctions, refusal: refusalText(body) }),
        logprobs: null,
        finish_reason: finish,
        ...(stopSequence === null ? {} : { stop_sequence: stopSequence }),
      },
    ],
    usage: chatUsage(usage),
    ...(tier === null ? {} : { service_tier: tier }),
  };
}

/** The tier under OpenAI's name; null where it has none for it. */
export function chatTier(tier: string | null): string | null {
  return tier === 'standard' ? 'default' : tier === 'priority' ? tier : null;
}

/** Why the model refused, where it says so. */
export function refusalText(from: JsonObject): string | null {
  return stringIn(from, 'stop_reason') === 'refusal' ? stringIn(objectIn(from, 'stop_details'), 'explanation') : null;
}

type BlockHandler = (reply: Reply, block: JsonObject) => void;

/** Blocks of tools that the provider runs itself are no part of a chat's answer. */
const BLOCKS: ReadonlyMap<string, BlockHandler> = new Map<string, BlockHandler>([
  ['text', (reply, block) => reply.addText(block)],
  ['thinking', (reply, block) => reply.addThought(block)],
  ['redacted_thinking', (reply, block) => reply.addThought(block)],
  ['tool_use', (reply, block) => reply.addCall(block)],
]);

class Reply {
  readonly calls: JsonObject[] = [];
  readonly #answerTool: string | null;
  readonly #id: string;
  readonly #thoughts: JsonObject[] = [];
  readonly #annotations: JsonObject[] = [];
  #text: string | null = null;
  #reasoning: string | null = null;
  #answer: string | null = null;

  constructor(answerTool: string | null, id: string) {
    this.#answerTool = answerTool;
    this.#id = id;
  }

  add(block: JsonObject): void {
    BLOCKS.get(stringIn(block, 'type') ?? '')?.(this, block);
  }

  addText(block: JsonObject): void {
    const start = this.#text?.length ?? 0;
    this.#text = (this.#text ?? '') + (stringIn(block, 'text') ?? '');
    for (const citation of listIn(block, 'citations')) {
      const noted = annotation(citation, { start, end: this.#text.length });
      if (noted !== null) this.#annotations.push(noted);
    }
  }

  addThought(block: JsonObject): void {
    const thinking = stringIn(block, 'thinking');
    if (thinking) this.#reasoning = (this.#reasoning ?? '') + thinking;
    if (stringIn(block, 'signature') || stringIn(block, 'data')) this.#thoughts.push(block);
  }

  addCall(block: JsonObject): void {
    const name = stringIn(block, 'name') ?? '';
    const input = JSON.stringify(objectIn(block, 'input') ?? {});
    if (name === this.#answerTool) {
      this.#answer ??= input;
      return;
    }
    const id = stringIn(block, 'id') ?? `call_${this.#id}_${this.calls.length}`;
    this.calls.push({ id, type: 'function', function: { name, arguments: input } });
  }

  message({
    legacyFunctions,
    refusal,
  }: {
    readonly legacyFunctions: boolean;
    readonly refusal: string | null;
  }): JsonObject {
    return {
      role: 'assistant',
      content: this.#answer ?? this.#text ?? (this.calls.length > 0 ? null : ''),
      refusal: this.#text ? null : refusal,
      ...(this.#reasoning === null ? {} : { [REASONING]: this.#reasoning }),
      ...(this.#thoughts.length === 0 ? {} : { [THINKING_BLOCKS]: this.#thoughts }),
      ...this.#called(legacyFunctions),
      ...(this.#annotations.length === 0 ? {} : { annotations: this.#annotations }),
    };
  }

  #called(legacyFunctions: boolean): JsonObject {
    if (this.calls.length === 0) return {};
    return legacyFunctions ? { function_call: this.calls[0]?.['function'] } : { tool_calls: this.calls };
  }
}
