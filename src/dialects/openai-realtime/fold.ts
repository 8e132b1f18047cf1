import { type AnswerFold, countText, noteModel, setError } from '../answer-fold.js';
import { type JsonObject, objectIn, stringIn } from '../json-value.js';
import type { ResponseFacts } from '../response-reader.js';
import { emptyUsage, type Usage } from '../usage.js';
import { addUsage, realtimeUsage } from './usage.js';

type Handler = (fold: RealtimeFold, event: JsonObject, facts: ResponseFacts) => void;

const addDelta: Handler = (_fold, event, facts) => void countText(event['delta'], facts);
const session: Handler = (fold, event, facts) => fold.session(objectIn(event, 'session') ?? {}, facts);
const transcribed: Handler = (fold, event, facts) => fold.add(objectIn(event, 'usage'), facts);

/** Server events that say something we need, under the names of the beta and of today. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map([
  ['session.created', session],
  ['session.updated', session],
  ['transcription_session.created', session],
  ['response.created', (fold, _event, facts) => fold.begin(facts)],
  ['response.done', (fold, event, facts) => fold.done(objectIn(event, 'response') ?? {}, facts)],
  ['response.output_text.delta', addDelta],
  ['response.text.delta', addDelta],
  ['response.output_audio_transcript.delta', addDelta],
  ['response.audio_transcript.delta', addDelta],
  ['response.function_call_arguments.delta', addDelta],
  ['response.output_item.added', (_fold, event, facts) => noteCall(objectIn(event, 'item'), facts)],
  ['conversation.item.input_audio_transcription.completed', transcribed],
  ['error', (_fold, event, facts) => noteError(event, facts)],
]);

/**
 * A session of OpenAI's Realtime API as one answer. Each response states its own usage: the session's is their sum, with
 * that of the transcriptions of what was heard. The session may end at any moment at which no response is under way.
 */
export class RealtimeFold implements AnswerFold {
  readonly doneEnds = false;
  readonly text = false;
  #sum: Usage = emptyUsage();
  /** Seconds have fractions; they are rounded up once, in the end. */
  #running = 0;

  reads(type: string): boolean {
    return HANDLERS.has(type);
  }

  event(event: JsonObject, facts: ResponseFacts): null {
    HANDLERS.get(stringIn(event, 'type') ?? '')?.(this, event, facts);
    return null;
  }

  body(): void {
    // A session has no body.
  }

  session(about: JsonObject, facts: ResponseFacts): void {
    noteModel(about, facts);
    // Nothing is billed before the first response.
    facts.usage ??= emptyUsage();
    if (this.#running === 0) facts.terminal = true;
  }

  begin(facts: ResponseFacts): void {
    this.#running += 1;
    facts.terminal = false;
  }

  done(response: JsonObject, facts: ResponseFacts): void {
    this.#running = Math.max(0, this.#running - 1);
    facts.terminal = this.#running === 0;
    this.add(objectIn(response, 'usage'), facts);
    const error = objectIn(objectIn(response, 'status_details'), 'error');
    // The error of a session is the one that it ended with: it may go on after each of them.
    facts.error = null;
    if (stringIn(response, 'status') === 'failed') setError(stringIn(error, 'message') ?? '', facts);
  }

  add(stated: JsonObject | null, facts: ResponseFacts): void {
    const usage = realtimeUsage(stated);
    if (usage === null) return;
    this.#sum = addUsage(this.#sum, usage);
    facts.usage = { ...this.#sum, audio_seconds: Math.ceil(this.#sum.audio_seconds) };
    facts.usageAtBytes = facts.contentBytes;
  }
}

function noteCall(item: JsonObject | null, facts: ResponseFacts): void {
  if (stringIn(item, 'type') !== 'function_call') return;
  facts.content = true;
  if (countText(item?.['name'], facts) > 0) facts.toolCalls += 1;
}

function noteError(event: JsonObject, facts: ResponseFacts): void {
  facts.error = null;
  setError(stringIn(objectIn(event, 'error'), 'message') ?? '', facts);
}
