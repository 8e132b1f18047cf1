import { readFinishReason } from '../../gemini/finish-reason.js';
import { GeminiUsageKeeper } from '../../gemini/usage.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { chatUsage } from '../../stated-usage.js';
import type { EventSink, StreamError, StreamTranslator, TranslationContext } from '../translation.js';
import { writeAnnotations } from './annotations.js';
import { Choice } from './choice.js';
import { finishOf, nativeFinish } from './finish.js';
import { writeLogprobs } from './logprobs.js';
import { blockedChoice, callIds } from './response.js';

/** `streamGenerateContent` as chunks of a chat completion. */
export class ChunkStream implements StreamTranslator {
  readonly #context: TranslationContext;
  /** Places in the text will be asked for. */
  readonly #searches: boolean;
  readonly #choices = new Map<number, Choice>();
  readonly #usage = new GeminiUsageKeeper();
  readonly #ids;
  #model: string;

  constructor(context: TranslationContext, searches: boolean) {
    this.#context = context;
    this.#searches = searches;
    this.#model = context.model;
    this.#ids = callIds(context);
  }

  event(_type: string, data: JsonObject, out: EventSink): void {
    this.#model = stringIn(data, 'modelVersion') || this.#model;
    this.#usage.take(objectIn(data, 'usageMetadata'));
    for (const candidate of listIn(data, 'candidates')) if (isObject(candidate)) this.#candidate(candidate, out);
    const blocked = this.#choices.size === 0 ? blockedChoice(data) : null;
    if (blocked !== null) this.#blocked(blocked, out);
  }

  /** Google does not say so. */
  done(): void {}

  end(out: EventSink): boolean {
    const choices = [...this.#choices.values()];
    if (choices.length === 0 || choices.some(({ finished }) => !finished)) return false;
    const { usage } = this.#usage;
    if (this.#context.includeUsage && usage !== null)
      out.event('', { ...this.#base(), choices: [], usage: chatUsage(usage) });
    out.done();
    return true;
  }

  fail({ message, code, status }: StreamError, out: EventSink): void {
    const type = status === 429 ? 'rate_limit_error' : 'api_error';
    out.event('', { error: { message, type, param: null, code } });
  }

  #candidate(candidate: JsonObject, out: EventSink) {
    const choice = this.#choice(typeof candidate['index'] === 'number' ? candidate['index'] : 0);
    const reason = readFinishReason(candidate['finishReason']);
    const pieces = choice.reader.read(candidate);
    if (reason !== null) pieces.push(...choice.reader.end());
    let logprobs = writeLogprobs(candidate);
    for (const piece of pieces) {
      if (this.#searches && piece.kind === 'text') choice.text += piece.text;
      this.#delta(choice, choice.delta(piece), logprobs, out);
      logprobs = null;
    }
    if (reason !== null) this.#finish(choice, candidate, reason, out);
  }

  #finish(choice: Choice, candidate: JsonObject, reason: string, out: EventSink) {
    if (choice.finished) return;
    choice.finished = true;
    const annotations = this.#searches ? writeAnnotations(candidate, choice.text) : [];
    if (annotations.length > 0) this.#delta(choice, { annotations }, null, out);
    const finish = { finish_reason: finishOf(reason, choice.calls > 0), ...nativeFinish(reason) };
    this.#write(choice, { delta: this.#opening(choice), logprobs: null, ...finish }, out);
  }

  #blocked(blocked: JsonObject, out: EventSink) {
    const choice = this.#choice(0);
    choice.finished = true;
    const { message, ...rest } = blocked;
    this.#write(choice, { ...rest, delta: { ...this.#opening(choice), refusal: stringIn(message, 'refusal') } }, out);
  }

  #delta(choice: Choice, delta: JsonObject, logprobs: JsonObject | null, out: EventSink) {
    this.#write(choice, { delta: { ...this.#opening(choice), ...delta }, logprobs, finish_reason: null }, out);
  }

  /** The role comes with the first delta only. */
  #opening(choice: Choice): JsonObject {
    if (choice.begun) return {};
    choice.begun = true;
    return { role: 'assistant', content: '' };
  }

  #write(choice: Choice, members: JsonObject, out: EventSink) {
    out.event('', { ...this.#base(), choices: [{ index: choice.index, ...members }] });
  }

  #base(): JsonObject {
    const { id, created } = this.#context;
    return { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created, model: this.#model };
  }

  #choice(index: number): Choice {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      choice = new Choice(index, this.#ids);
      this.#choices.set(index, choice);
    }
    return choice;
  }
}
