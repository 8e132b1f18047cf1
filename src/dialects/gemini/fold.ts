import { type AnswerFold, countText, noteError } from '../answer-fold.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../json-value.js';
import type { ResponseFacts } from '../response-reader.js';
import { readFinishReason } from './finish-reason.js';
import { SearchCounter } from './searches.js';
import { GeminiUsageKeeper, geminiTier } from './usage.js';

/**
 * `generateContent` and `streamGenerateContent` of the Gemini API and Vertex AI. Every chunk is an answer of its own; usage is
 * cumulative, and Vertex AI states it in the last chunk only.
 */
export class GenerateFold implements AnswerFold {
  readonly doneEnds = false;
  readonly text = true;
  readonly #usage = new GeminiUsageKeeper();
  readonly #searches = new SearchCounter();
  readonly #open = new Set<number>();
  readonly #finished = new Set<number>();

  reads(): boolean {
    return true;
  }

  event(event: JsonObject, facts: ResponseFacts): string | null {
    const before = facts.contentBytes;
    const stated = this.#read(event, facts);
    return stated ? null : onlyText(event, facts.contentBytes - before);
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    const { terminal } = facts;
    this.#read(body, facts);
    // A whole body is an end by itself, whatever its candidates say.
    facts.terminal = terminal || facts.terminal;
  }

  /** Returns true when the chunk stated usage. */
  #read(chunk: JsonObject, facts: ResponseFacts): boolean {
    noteError(chunk, facts);
    const model = stringIn(chunk, 'modelVersion');
    if (model) facts.model = model.slice(0, 512);
    for (const candidate of listIn(chunk, 'candidates')) if (isObject(candidate)) this.#candidate(candidate, facts);
    // A prompt that was blocked is never answered.
    if (objectIn(chunk, 'promptFeedback')?.['blockReason'] !== undefined) {
      facts.terminal = true;
      facts.blocked = true;
    }
    return this.#takeUsage(objectIn(chunk, 'usageMetadata'), facts);
  }

  #takeUsage(metadata: JsonObject | null, facts: ResponseFacts): boolean {
    if (metadata !== null) facts.serviceTier = geminiTier(metadata) ?? facts.serviceTier;
    const stated = this.#usage.take(metadata);
    if (stated) facts.usageAtBytes = facts.contentBytes;
    const { usage } = this.#usage;
    if (usage !== null) facts.usage = { ...usage, search_units: this.#searches.units(facts.model) };
    return stated;
  }

  #candidate(candidate: JsonObject, facts: ResponseFacts) {
    for (const part of listIn(objectIn(candidate, 'content'), 'parts')) if (isObject(part)) countPart(part, facts);
    this.#searches.take(candidate);
    const index = typeof candidate['index'] === 'number' ? candidate['index'] : 0;
    if (readFinishReason(candidate['finishReason']) !== null) {
      this.#finished.add(index);
      this.#open.delete(index);
    } else if (!this.#finished.has(index)) this.#open.add(index);
    facts.terminal = this.#open.size === 0;
  }
}

function countPart(part: JsonObject, facts: ResponseFacts): void {
  countText(part['text'], facts);
  countCall(objectIn(part, 'functionCall'), facts);
  countText(objectIn(part, 'executableCode')?.['code'], facts);
  countText(objectIn(part, 'codeExecutionResult')?.['output'], facts);
  if (objectIn(part, 'inlineData') !== null) facts.content = true;
}

/** Arguments come whole, or as pieces of their values where the client asked for it. */
function countCall(call: JsonObject | null, facts: ResponseFacts): void {
  if (call === null) return;
  if (countText(call['name'], facts) > 0) facts.toolCalls += 1;
  if (isObject(call['args'])) countText(JSON.stringify(call['args']), facts);
  for (const piece of listIn(call, 'partialArgs')) if (isObject(piece)) countText(piece['stringValue'], facts);
}

/** The text of a chunk that holds one part and neither an end nor numbers. */
function onlyText(chunk: JsonObject, added: number): string | null {
  const candidates = listIn(chunk, 'candidates');
  const candidate = candidates.length === 1 && isObject(candidates[0]) ? candidates[0] : null;
  if (candidate === null || 'finishReason' in candidate || 'groundingMetadata' in candidate) return null;
  const parts = listIn(objectIn(candidate, 'content'), 'parts');
  const text = parts.length === 1 ? stringIn(parts[0], 'text') : null;
  return text !== null && Buffer.byteLength(text) === added ? text : null;
}
