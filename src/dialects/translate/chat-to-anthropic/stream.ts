import { MessagesUsageKeeper } from '../../anthropic/usage.js';
import { type JsonObject, objectIn, stringIn } from '../../json-value.js';
import { chatUsage } from '../../stated-usage.js';
import { errorEvent } from '../../stream-error.js';
import { emptyUsage } from '../../usage.js';
import type { EventSink, StreamError, StreamTranslator, TranslationContext } from '../translation.js';
import { ChunkWriter } from './chunk-writer.js';
import { finishReason } from './finish.js';
import { CallBlock, IGNORED, type OpenBlock, TextBlock, type TextSink, ThoughtBlock } from './open-blocks.js';
import type { AnswerMemory } from './request.js';
import { refusalText } from './response.js';

type Handler = (stream: ChatStream, event: JsonObject, out: EventSink) => void;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['message_start', (stream, event, out) => stream.start(objectIn(event, 'message') ?? {}, out)],
  [
    'content_block_start',
    (stream, event, out) => stream.open(event['index'], objectIn(event, 'content_block') ?? {}, out),
  ],
  ['content_block_delta', (stream, event, out) => stream.delta(event['index'], objectIn(event, 'delta') ?? {}, out)],
  ['content_block_stop', (stream, event, out) => stream.close(event['index'], out)],
  ['message_delta', (stream, event) => stream.messageDelta(event)],
  ['message_stop', (stream, _event, out) => stream.stop(out)],
]);

type Opener = (stream: ChatStream, block: JsonObject, out: EventSink) => OpenBlock;

const OPENERS: ReadonlyMap<string, Opener> = new Map<string, Opener>([
  ['text', (stream) => stream.textBlock()],
  ['thinking', (stream, block) => stream.thoughtBlock(block)],
  ['redacted_thinking', (stream, block) => stream.thoughtBlock(block)],
  ['tool_use', (stream, block, out) => stream.callBlock(block, out)],
]);

/** The block that a delta belongs to, where its beginning was never seen. */
const IMPLIED: Readonly<Record<string, string>> = { text_delta: 'text', thinking_delta: 'thinking' };

/** Anthropic's events as chat chunks. */
export class ChatStream implements StreamTranslator, TextSink {
  readonly #call: AnswerMemory;
  readonly #context: TranslationContext;
  readonly #writer: ChunkWriter;
  readonly #usage = new MessagesUsageKeeper();
  readonly #blocks = new Map<unknown, OpenBlock>();
  #calls = 0;
  #thoughts = 0;
  #stopReason: string | null = null;
  #stopSequence: string | null = null;
  #refusal: string | null = null;
  /** Text beside the tool that gives the answer: only if that tool is not called is it the answer. */
  #held = '';
  #answered = false;
  #ended = false;

  constructor(call: AnswerMemory, context: TranslationContext) {
    this.#call = call;
    this.#context = context;
    this.#writer = new ChunkWriter(context);
  }

  event(type: string, data: JsonObject, out: EventSink): void {
    if (!this.#ended) HANDLERS.get(stringIn(data, 'type') ?? type)?.(this, data, out);
  }

  /** Some who imitate this dialect send OpenAI's end as well. */
  done(): void {}

  end(): boolean {
    return this.#ended;
  }

  fail(error: StreamError, out: EventSink): void {
    this.#ended = true;
    const { type, data } = errorEvent('openai-chat', error);
    out.event(type, data);
  }

  start(message: JsonObject, out: EventSink): void {
    this.#usage.take(message['usage']);
    this.#writer.begin(stringIn(message, 'model'), out);
  }

  open(index: unknown, block: JsonObject, out: EventSink): void {
    this.close(index, out);
    const opened = OPENERS.get(stringIn(block, 'type') ?? '')?.(this, block, out) ?? IGNORED;
    this.#blocks.set(index, opened);
    // What a block begins with is its first delta, but for the input of tools.
    if (opened !== IGNORED) opened.delta(block, out);
  }

  delta(index: unknown, delta: JsonObject, out: EventSink): void {
    if (!this.#blocks.has(index)) this.open(index, { type: IMPLIED[stringIn(delta, 'type') ?? ''] }, out);
    this.#blocks.get(index)?.delta(delta, out);
  }

  close(index: unknown, out: EventSink): void {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    block?.close(out);
  }

  messageDelta(event: JsonObject): void {
    const delta = objectIn(event, 'delta');
    this.#stopReason = stringIn(delta, 'stop_reason') ?? this.#stopReason;
    this.#stopSequence = stringIn(delta, 'stop_sequence') ?? this.#stopSequence;
    this.#refusal = (delta && refusalText(delta)) ?? this.#refusal;
    this.#usage.take(event['usage']);
  }

  stop(out: EventSink): void {
    for (const index of [...this.#blocks.keys()]) this.close(index, out);
    this.#release(out);
    if (this.#refusal !== null && this.#writer.contentLength === 0) this.#writer.delta({ refusal: this.#refusal }, out);
    const { legacyFunctions } = this.#call;
    const reason = finishReason({ stopReason: this.#stopReason, called: this.#calls > 0, legacyFunctions });
    this.#writer.finish(reason, this.#stopSequence, out);
    if (this.#context.includeUsage) this.#writer.usage(chatUsage(this.#usage.usage ?? emptyUsage()), out);
    out.done();
    this.#ended = true;
  }

  get length(): number {
    return this.#writer.contentLength + this.#held.length;
  }

  text(text: string, out: EventSink): void {
    if (this.#call.answerTool === null) this.#writer.content(text, out);
    else if (!this.#answered) this.#held += text;
  }

  textBlock(): OpenBlock {
    return new TextBlock(this.#writer, this);
  }

  thoughtBlock(block: JsonObject): OpenBlock {
    this.#thoughts += 1;
    return new ThoughtBlock(this.#writer, block, this.#thoughts - 1);
  }

  callBlock(block: JsonObject, out: EventSink): OpenBlock {
    const name = stringIn(block, 'name') ?? '';
    const input = objectIn(block, 'input');
    if (name === this.#call.answerTool) return this.#answerBlock(input);
    this.#release(out);
    const index = this.#calls;
    this.#calls += 1;
    const id = stringIn(block, 'id') ?? `call_${this.#context.id}_${index}`;
    return this.#call.legacyFunctions
      ? this.#functionCall(index, name, input, out)
      : this.#toolCall({ index, id, name }, input, out);
  }

  #toolCall(
    { index, id, name }: { index: number; id: string; name: string },
    input: JsonObject | null,
    out: EventSink,
  ): OpenBlock {
    const begun = { index, id, type: 'function', function: { name, arguments: '' } };
    this.#writer.delta({ tool_calls: [begun] }, out);
    return new CallBlock(input, (json, to) => {
      this.#writer.delta({ tool_calls: [{ index, function: { arguments: json } }] }, to);
    });
  }

  /** One call is all that this form can hold. */
  #functionCall(index: number, name: string, input: JsonObject | null, out: EventSink): OpenBlock {
    if (index > 0) return IGNORED;
    this.#writer.delta({ function_call: { name, arguments: '' } }, out);
    return new CallBlock(input, (json, to) => this.#writer.delta({ function_call: { arguments: json } }, to));
  }

  #answerBlock(input: JsonObject | null): OpenBlock {
    if (this.#answered) return IGNORED;
    this.#answered = true;
    this.#held = '';
    return new CallBlock(input, (json, to) => this.#writer.content(json, to));
  }

  #release(out: EventSink): void {
    const text = this.#held;
    this.#held = '';
    this.#writer.content(text, out);
  }
}
