import type { JsonObject } from './json-value.js';
import type { ResponseFacts } from './response-reader.js';
import { faultOf } from './stream-fault.js';

/** What one wire format's answers mean: folds parsed events and bodies into facts. One object per answer. */
export interface AnswerFold {
  /** Whether `[DONE]` is this dialect's end. */
  readonly doneEnds: boolean;
  /** Answers are text, so the bytes of a body that cannot be parsed stand for its content. */
  readonly text: boolean;
  /** False for `event:` types that hold nothing to read: they are not parsed. */
  reads(type: string): boolean;
  /**
   * One event of a stream. Returns the text it added when it did nothing else (no finish, no usage, no tool call), so that
   * an event which differs only in that text need not be parsed; otherwise null.
   * @param type the framing's name of the event, '' when it has none
   */
  event(event: JsonObject, facts: ResponseFacts, type: string): string | null;
  /** A whole JSON answer, or its top-level members that could be read. */
  body(body: JsonObject, facts: ResponseFacts): void;
}

const MAX_ERROR = 300;

/** Notes the `error` member of an event or a body; the first error of an answer is kept. */
export function noteError(from: JsonObject, facts: ResponseFacts): void {
  const error = from['error'];
  if (error === null || error === undefined || error === false || error === '') return;
  const { message, code } = faultOf(from);
  if (facts.error === null) facts.errorCode = code;
  setError(message, facts);
}

export function setError(message: string, facts: ResponseFacts): void {
  facts.error ??= message === '' ? 'The provider reported an error without a message.' : message.slice(0, MAX_ERROR);
}

/** Counts content of any kind; everything that is not a string counts nothing. Returns the bytes. */
export function countText(text: unknown, facts: ResponseFacts): number {
  if (typeof text !== 'string' || text === '') return 0;
  const bytes = Buffer.byteLength(text);
  facts.content = true;
  facts.contentBytes += bytes;
  facts.sample.addText(text, bytes);
  return bytes;
}

export function noteModel(from: JsonObject, facts: ResponseFacts): void {
  const model = from['model'];
  if (typeof model === 'string' && model !== '') facts.model = model.slice(0, 512);
}

/** `service_tier` of an answer or an event; the last one stands, because a request for `auto` is answered by a real one. */
export function noteServiceTier(from: JsonObject, facts: ResponseFacts): void {
  const tier = from['service_tier'];
  if (typeof tier === 'string' && tier !== '') facts.serviceTier = tier.slice(0, 64);
}
