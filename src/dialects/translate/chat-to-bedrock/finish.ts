import { type JsonObject, objectIn, stringIn } from '../../json-value.js';

const FINISHES: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['content_filtered', 'content_filter'],
  ['guardrail_intervened', 'content_filter'],
]);

/**
 * Converse's `stopReason` in chat's words. Whether it is a tool call is told by the calls that the client sees: some models say
 * `end_turn` with calls, and calls of tools that are not the client's are none.
 * @param calls how many calls the client was given
 */
export function finishReason(stopReason: string | null, calls: number): string {
  return FINISHES.get(stopReason ?? '') ?? (calls > 0 ? 'tool_calls' : 'stop');
}

/** The sequence that ended the answer, of `messageStop` or of a whole answer: Claude states it where it was asked to. */
export function stopSequence(from: JsonObject): string | null {
  const fields = objectIn(from, 'additionalModelResponseFields');
  return stringIn(fields, 'stop_sequence') ?? stringIn(objectIn(fields, 'delta'), 'stop_sequence');
}
