import { type AnswerFold, countText, noteError, noteModel, noteServiceTier } from '../answer-fold.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../json-value.js';
import type { ResponseFacts } from '../response-reader.js';
import { emptyUsage } from '../usage.js';
import { INVOCATION_METRICS, MessagesUsageKeeper, normaliseMessagesUsage } from './usage.js';

type Handler = (fold: MessagesFold, event: JsonObject, facts: ResponseFacts) => string | null;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['message_start', (fold, event, facts) => fold.start(objectIn(event, 'message') ?? {}, facts)],
  ['content_block_start', (_fold, event, facts) => countBlock(objectIn(event, 'content_block'), facts)],
  ['content_block_delta', (_fold, event, facts) => countDelta(objectIn(event, 'delta'), facts)],
  ['message_delta', (fold, event, facts) => fold.usage(event['usage'], facts)],
  ['message_stop', (fold, event, facts) => fold.stop(event, facts)],
]);

/** Events that hold nothing to read. */
const PASSED_OVER: ReadonlySet<string> = new Set(['ping', 'content_block_stop']);

/**
 * Anthropic's Messages, from Anthropic itself, inside AWS' frames (InvokeModel) or from Google. Amazon's own models answer
 * InvokeModel in other shapes: of those only the usage and the end are read.
 */
export class MessagesFold implements AnswerFold {
  readonly doneEnds = false;
  readonly text = true;
  readonly #usage = new MessagesUsageKeeper();

  reads(type: string): boolean {
    return !PASSED_OVER.has(type);
  }

  event(event: JsonObject, facts: ResponseFacts, type: string): string | null {
    const handler = HANDLERS.get(stringIn(event, 'type') ?? type);
    if (handler !== undefined) return handler(this, event, facts);
    noteError(event, facts);
    const metadata = objectIn(event, 'metadata');
    if (metadata !== null) this.usage(metadata['usage'], facts);
    return this.#metrics(event, facts);
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    noteError(body, facts);
    noteModel(body, facts);
    this.usage(body['usage'], facts);
    for (const block of listIn(body, 'content')) countBlock(isObject(block) ? block : null, facts);
  }

  start(message: JsonObject, facts: ResponseFacts): null {
    noteModel(message, facts);
    return this.usage(message['usage'], facts);
  }

  stop(event: JsonObject, facts: ResponseFacts): null {
    facts.terminal = true;
    return this.#metrics(event, facts);
  }

  usage(stated: unknown, facts: ResponseFacts): null {
    if (!this.#usage.take(stated) || !isObject(stated)) return null;
    noteServiceTier(stated, facts);
    facts.usage = this.#usage.usage;
    facts.usageAtBytes = facts.contentBytes;
    return null;
  }

  /** AWS' own counts end every stream of InvokeModel; they stand where the model stated none. */
  #metrics(event: JsonObject, facts: ResponseFacts): null {
    const metrics = objectIn(event, INVOCATION_METRICS);
    if (metrics === null) return null;
    facts.terminal = true;
    if (facts.usage !== null) return null;
    facts.usage = normaliseMessagesUsage(metrics);
    facts.usageAtBytes = facts.contentBytes;
    return null;
  }
}

/** `{"input_tokens": 671}`: counting is free, so nothing was used. */
export class CountTokensFold implements AnswerFold {
  readonly doneEnds = false;
  readonly text = false;

  reads(): boolean {
    return true;
  }

  event(event: JsonObject, facts: ResponseFacts): null {
    this.body(event, facts);
    return null;
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    noteError(body, facts);
    facts.usage = emptyUsage();
  }
}

/** A block in a whole answer, or its beginning in a stream. What tools of the provider found is input, not output. */
function countBlock(block: JsonObject | null, facts: ResponseFacts): null {
  if (block === null) return null;
  countText(block['text'], facts);
  countText(block['thinking'], facts);
  if (!stringIn(block, 'type')?.endsWith('tool_use')) return null;
  facts.content = true;
  if (countText(block['name'], facts) > 0) facts.toolCalls += 1;
  const input = objectIn(block, 'input');
  if (input !== null && Object.keys(input).length > 0) countText(JSON.stringify(input), facts);
  return null;
}

function countDelta(delta: JsonObject | null, facts: ResponseFacts): string | null {
  const text = delta?.['text'] ?? delta?.['thinking'] ?? delta?.['partial_json'];
  countText(text, facts);
  return typeof text === 'string' ? text : null;
}
