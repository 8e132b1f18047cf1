import { type AnswerFold, countText, noteError, noteModel } from '../answer-fold.js';
import { amountIn, type JsonObject, stringIn } from '../json-value.js';
import { UsageKeeper } from '../openai-usage.js';
import type { ResponseFacts } from '../response-reader.js';
import { emptyUsage } from '../usage.js';

/** Transcription, translation and streamed speech: usage in tokens or seconds, text in `text` or `delta`. */
export class AudioFold implements AnswerFold {
  readonly doneEnds = true;
  readonly text = true;
  readonly #usage = new UsageKeeper();

  /** Speech deltas are sound in base64: nothing to read, and long. */
  reads(type: string): boolean {
    return type !== 'speech.audio.delta';
  }

  event(event: JsonObject, facts: ResponseFacts): null {
    noteError(event, facts);
    noteModel(event, facts);
    const type = stringIn(event, 'type') ?? '';
    if (type === 'transcript.text.delta') countText(event['delta'], facts);
    if (type.startsWith('speech.')) facts.content = true;
    if (type.endsWith('.done') && !type.endsWith('.segment.done')) facts.terminal = true;
    this.#usage.take(event['usage'], facts);
    return null;
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    noteError(body, facts);
    noteModel(body, facts);
    countText(body['text'], facts);
    this.#usage.take(body['usage'], facts);
    // Whisper's verbose answers say how long the sound was, and some providers bill by that and state nothing else.
    const seconds = facts.usage === null ? amountIn(body, 'duration') : null;
    if (seconds !== null) facts.usage = { ...emptyUsage(), audio_seconds: Math.ceil(seconds) };
  }
}
