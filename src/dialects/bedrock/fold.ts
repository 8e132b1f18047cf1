import { type AnswerFold, countText, noteError, noteModel, noteServiceTier } from '../answer-fold.js';
import { type JsonObject, listIn, objectIn, stringIn } from '../json-value.js';
import type { ResponseFacts } from '../response-reader.js';
import { normaliseConverseUsage } from './usage.js';

type Handler = (event: JsonObject, facts: ResponseFacts) => void;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['contentBlockStart', (event, facts) => countCall(objectIn(objectIn(event, 'start'), 'toolUse'), facts)],
  ['contentBlockDelta', (event, facts) => countDelta(objectIn(event, 'delta'), facts)],
  ['messageStop', stop],
  ['metadata', takeMetadata],
]);

/**
 * AWS Bedrock's Converse and ConverseStream. The kind of an event stands in its frame's header; usage comes in `metadata`,
 * behind `messageStop`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 */
export class ConverseFold implements AnswerFold {
  readonly doneEnds = false;
  readonly text = true;

  reads(type: string): boolean {
    return HANDLERS.has(type);
  }

  event(event: JsonObject, facts: ResponseFacts, type: string): null {
    HANDLERS.get(type)?.(event, facts);
    return null;
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    noteError(body, facts);
    for (const block of listIn(objectIn(objectIn(body, 'output'), 'message'), 'content')) countBlock(block, facts);
    takeMetadata(body, facts);
  }
}

function stop(_event: JsonObject, facts: ResponseFacts): void {
  facts.terminal = true;
}

/** Of a stream's last event, or of a whole answer. */
function takeMetadata(from: JsonObject, facts: ResponseFacts): void {
  noteServiceTier({ service_tier: stringIn(objectIn(from, 'serviceTier'), 'type') }, facts);
  // Only a prompt router tells which model it chose.
  noteModel({ model: stringIn(objectIn(objectIn(from, 'trace'), 'promptRouter'), 'invokedModelId') }, facts);
  const usage = objectIn(from, 'usage');
  const stated = usage === null ? null : normaliseConverseUsage(usage);
  if (stated === null) return;
  facts.usage = stated;
  facts.usageAtBytes = facts.contentBytes;
}

/** Results of the provider's own tools are input, not output. */
function countBlock(block: unknown, facts: ResponseFacts): void {
  countText(stringIn(block, 'text'), facts);
  countText(objectIn(objectIn(block, 'reasoningContent'), 'reasoningText')?.['text'], facts);
  for (const part of listIn(objectIn(block, 'citationsContent'), 'content')) countText(stringIn(part, 'text'), facts);
  const call = objectIn(block, 'toolUse');
  countCall(call, facts);
  const input = objectIn(call, 'input');
  if (input !== null && Object.keys(input).length > 0) countText(JSON.stringify(input), facts);
}

function countDelta(delta: JsonObject | null, facts: ResponseFacts): void {
  countText(stringIn(delta, 'text'), facts);
  countText(objectIn(delta, 'reasoningContent')?.['text'], facts);
  countText(objectIn(delta, 'toolUse')?.['input'], facts);
}

function countCall(call: JsonObject | null, facts: ResponseFacts): void {
  if (call === null) return;
  facts.content = true;
  if (countText(call['name'], facts) > 0) facts.toolCalls += 1;
}
