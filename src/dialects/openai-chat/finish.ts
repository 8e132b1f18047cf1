/** Why a chat answer ended. `error`: the provider gave up in the middle, whatever it sent is cut off. */
export type Finish = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error';

/** Words of providers that have their own (providers.md, table 1b). */
const FINISHES: ReadonlyMap<string, Finish> = new Map([
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['model_length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['error', 'error'],
  ['insufficient_system_resource', 'error'],
]);

/**
 * A provider's `finish_reason` in OpenAI's words; unknown ones (`eos`, `stop_sequence`, null at the end) are a stop.
 * @param calls the answer calls tools: Google's OpenAI endpoint and others say `stop` then
 */
export function readFinish(word: string | null, calls: boolean): Finish {
  const finish = FINISHES.get(word ?? '') ?? 'stop';
  return finish === 'stop' && calls ? 'tool_calls' : finish;
}
