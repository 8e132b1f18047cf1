import { type AnswerFold, countText, noteError, noteModel, noteServiceTier, setError } from '../answer-fold.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../json-value.js';
import { UsageKeeper } from '../openai-usage.js';
import type { ResponseFacts } from '../response-reader.js';

type Handler = (fold: ResponsesFold, event: JsonObject, facts: ResponseFacts) => void;

const addDelta: Handler = (_fold, event, facts) => void countText(event['delta'], facts);
const finish: Handler = (fold, event, facts) => fold.finish(objectIn(event, 'response'), facts);

/** Event types that say something we need. All others (`….done`, parts, searches) repeat it or carry no tokens. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map([
  ['response.created', (_fold, event, facts) => noteModel(objectIn(event, 'response') ?? {}, facts)],
  ['response.output_item.added', (_fold, event, facts) => noteCall(objectIn(event, 'item'), facts)],
  ['response.output_text.delta', addDelta],
  ['response.refusal.delta', addDelta],
  ['response.reasoning_text.delta', addDelta],
  ['response.reasoning.delta', addDelta],
  ['response.reasoning_summary_text.delta', addDelta],
  ['response.function_call_arguments.delta', addDelta],
  ['response.custom_tool_call_input.delta', addDelta],
  ['response.mcp_call_arguments.delta', addDelta],
  ['response.code_interpreter_call_code.delta', addDelta],
  ['response.audio.transcript.delta', addDelta],
  ['response.completed', finish],
  ['response.incomplete', finish],
  ['response.failed', finish],
  ['error', (_fold, event, facts) => noteErrorEvent(event, facts)],
]);

/** OpenAI's Responses API and its clones. Usage comes with the last event only; most send no `[DONE]`. */
export class ResponsesFold implements AnswerFold {
  readonly doneEnds = false;
  readonly text = true;
  readonly #usage = new UsageKeeper();

  reads(type: string): boolean {
    return HANDLERS.has(type);
  }

  event(event: JsonObject, facts: ResponseFacts): null {
    const handler = HANDLERS.get(stringIn(event, 'type') ?? '');
    if (handler !== undefined) handler(this, event, facts);
    else noteError(event, facts);
    return null;
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    for (const item of listIn(body, 'output')) if (isObject(item)) countItem(item, facts);
    this.#read(body, facts);
  }

  finish(response: JsonObject | null, facts: ResponseFacts): void {
    facts.terminal = true;
    if (response !== null) this.#read(response, facts);
    if (response?.['status'] === 'failed') setError('', facts);
  }

  #read(response: JsonObject, facts: ResponseFacts) {
    noteModel(response, facts);
    noteServiceTier(response, facts);
    noteError(response, facts);
    this.#usage.take(response['usage'], facts);
    const searches = listIn(response, 'output').filter(isSearch).length;
    if (facts.usage !== null && searches > 0) facts.usage = { ...facts.usage, search_units: searches };
  }
}

/** `{type:"error", message}` as documented, or `{type:"error", error:{message}}` as seen. */
function noteErrorEvent(event: JsonObject, facts: ResponseFacts): void {
  const message = stringIn(event, 'message');
  if (message === null) noteError({ error: true, ...event }, facts);
  else setError(message, facts);
}

/** A search of the web is billed beside its tokens; opening a page and searching in it are not. */
function isSearch(item: unknown): boolean {
  if (stringIn(item, 'type') !== 'web_search_call') return false;
  const action = stringIn(objectIn(item, 'action'), 'type');
  return action === null || action === 'search';
}

function noteCall(item: JsonObject | null, facts: ResponseFacts): void {
  if (!stringIn(item, 'type')?.endsWith('_call')) return;
  facts.content = true;
  if (countText(item?.['name'], facts) > 0) facts.toolCalls += 1;
}

/** One entry of `output` in a whole answer. */
function countItem(item: JsonObject, facts: ResponseFacts): void {
  noteCall(item, facts);
  for (const key of ['arguments', 'input', 'code']) countText(item[key], facts);
  for (const list of ['content', 'summary']) {
    for (const part of listIn(item, list)) {
      if (!isObject(part)) continue;
      countText(part['text'], facts);
      countText(part['refusal'], facts);
    }
  }
}
