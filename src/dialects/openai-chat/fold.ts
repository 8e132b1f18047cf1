import { type AnswerFold, countText, noteError, noteModel, noteServiceTier } from '../answer-fold.js';
import { asList, asObject, isObject, type JsonObject } from '../json-value.js';
import { UsageKeeper } from '../openai-usage.js';
import type { ResponseFacts } from '../response-reader.js';
import { OpenChoices } from './open-choices.js';

/**
 * Chat and legacy completions of every OpenAI-compatible provider. Usage may stand beside choices, in a chunk of its own,
 * in `x_groq` or in a choice (providers.md, sections 0.1 and 1b).
 */
export class ChatFold implements AnswerFold {
  readonly doneEnds = true;
  readonly text = true;
  readonly #usage = new UsageKeeper();
  readonly #choices = new OpenChoices();

  reads(): boolean {
    return true;
  }

  event(event: JsonObject, facts: ResponseFacts): string | null {
    const before = facts.contentBytes;
    noteError(event, facts);
    noteModel(event, facts);
    noteServiceTier(event, facts);
    const choices = asList(event['choices']);
    for (const choice of choices) if (isObject(choice)) this.#choice(choice, facts);
    const usage = this.#takeUsage(event, choices, facts);
    return usage ? null : this.#onlyText(choices, facts.contentBytes - before);
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    noteError(body, facts);
    noteModel(body, facts);
    noteServiceTier(body, facts);
    const choices = asList(body['choices']);
    for (const choice of choices) {
      if (!isObject(choice)) continue;
      countChoice(choice, 'message', facts);
    }
    this.#takeUsage(body, choices, facts);
  }

  #choice(choice: JsonObject, facts: ResponseFacts) {
    countChoice(choice, 'delta', facts);
    const index = typeof choice['index'] === 'number' ? choice['index'] : 0;
    const reason = choice['finish_reason'];
    this.#choices.note(index, { last: typeof reason === 'string' && reason !== '' });
    // `[DONE]` is noted by the reader.
    facts.terminal = this.#choices.allFinished;
  }

  #takeUsage(from: JsonObject, choices: readonly unknown[], facts: ResponseFacts) {
    const inChoice = asObject(choices[choices.length - 1])?.['usage'];
    const usage = asObject(from['usage']) ?? asObject(asObject(from['x_groq'])?.['usage']) ?? asObject(inChoice);
    this.#usage.take(usage, facts);
    return usage !== null;
  }

  #onlyText(choices: readonly unknown[], added: number): string | null {
    const choice = choices.length === 1 && isObject(choices[0]) ? choices[0] : null;
    if (choice === null || typeof choice['finish_reason'] === 'string') return null;
    const delta = asObject(choice['delta']) ?? choice;
    if ('tool_calls' in delta) return null;
    const texts = [delta['content'], delta['reasoning_content'], delta['reasoning'], delta['text']];
    const text = texts.find((each) => typeof each === 'string' && Buffer.byteLength(each) === added);
    return typeof text === 'string' ? text : null;
  }
}

/** Together sends the same text in `text` and in `delta`. */
function countChoice(choice: JsonObject, key: 'message' | 'delta', facts: ResponseFacts): void {
  const before = facts.contentBytes;
  countMessage(asObject(choice[key]), facts);
  if (facts.contentBytes === before) countText(choice['text'], facts);
}

/** A `message` or a `delta`. */
function countMessage(message: JsonObject | null, facts: ResponseFacts): void {
  if (message === null) return;
  countContent(message['content'], facts);
  // Some send the same reasoning under both names.
  if (countText(message['reasoning_content'], facts) === 0) countText(message['reasoning'], facts);
  countText(message['refusal'], facts);
  countText(asObject(message['audio'])?.['transcript'], facts);
  countCall(message['function_call'], facts);
  for (const call of asList(message['tool_calls'])) {
    countCall(asObject(call)?.['function'], facts);
    countText(asObject(asObject(call)?.['custom'])?.['input'], facts);
  }
}

function countCall(call: unknown, facts: ResponseFacts): void {
  if (!isObject(call)) return;
  if (countText(call['name'], facts) > 0) facts.toolCalls += 1;
  countText(call['arguments'], facts);
}

/** A string, or Mistral's list of parts: `{text}`, `{thinking: [{text}]}`. */
function countContent(content: unknown, facts: ResponseFacts): void {
  countText(content, facts);
  if (!Array.isArray(content)) return;
  for (const part of content) {
    if (!isObject(part)) continue;
    countText(part['text'], facts);
    countText(part['refusal'], facts);
    const thinking = part['thinking'];
    countText(thinking, facts);
    if (Array.isArray(thinking))
      for (const thought of thinking) if (isObject(thought)) countText(thought['text'], facts);
  }
}
