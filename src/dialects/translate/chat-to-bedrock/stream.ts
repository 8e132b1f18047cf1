import { normaliseConverseUsage } from '../../bedrock/usage.js';
import { isObject, type JsonObject, objectIn, stringIn } from '../../json-value.js';
import { chatUsage } from '../../stated-usage.js';
import type { Usage } from '../../usage.js';
import { REASONING, THINKING_BLOCKS } from '../hub.js';
import type { EventSink, StreamError, StreamTranslator, TranslationContext } from '../translation.js';
import { Chunks } from './chunks.js';
import { finishReason, stopSequence } from './finish.js';
import type { AnswerTools } from './request.js';
import { callId } from './response.js';
import { readThought } from './thoughts.js';

type Handler = (stream: ConverseStream, event: JsonObject, out: EventSink) => void;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['messageStart', (stream, _event, out) => stream.begin(out)],
  ['contentBlockStart', (stream, event, out) => stream.startBlock(event, out)],
  ['contentBlockDelta', (stream, event, out) => stream.delta(event, out)],
  ['contentBlockStop', (stream, event, out) => stream.stopBlock(blockIndex(event), out)],
  ['messageStop', (stream, event, out) => stream.finish(event, out)],
  ['metadata', (stream, event, out) => stream.metadata(event, out)],
]);

/** A call that is being streamed. */
interface OpenCall {
  /** Number among the client's calls; null = its input is the answer's text, or it is not for the client. */
  readonly index: number | null;
  readonly isAnswer: boolean;
  /** Something of its input was sent. */
  begun: boolean;
}

/** A block of thoughts that is being streamed. */
interface OpenThought {
  text: string;
  signature: string;
  redacted: string;
}

/** ConverseStream's events as chat chunks. Usage comes behind the finish, in `metadata`. */
export class ConverseStream implements StreamTranslator {
  readonly #context: TranslationContext;
  readonly #tools: AnswerTools;
  readonly #chunks: Chunks;
  readonly #calls = new Map<number, OpenCall>();
  readonly #thoughts = new Map<number, OpenThought>();
  /** Text that must not reach the client if the answer comes as a tool's input after it. */
  #held = '';
  #answered = false;
  #callCount = 0;
  #thoughtCount = 0;
  #finished = false;
  #usage: Usage | null = null;
  #usageTold = false;

  constructor(context: TranslationContext, tools: AnswerTools) {
    this.#context = context;
    this.#tools = tools;
    this.#chunks = new Chunks(context);
  }

  event(type: string, data: JsonObject, out: EventSink): void {
    HANDLERS.get(type)?.(this, data, out);
  }

  done(): void {}

  end(out: EventSink): boolean {
    if (!this.#finished) return false;
    out.done();
    return true;
  }

  fail({ message, code, status }: StreamError, out: EventSink): void {
    const type = status === 429 ? 'rate_limit_error' : 'api_error';
    out.event('', { error: { message, type, param: null, code } });
  }

  begin(out: EventSink): void {
    this.#chunks.begin(out);
  }

  startBlock(event: JsonObject, out: EventSink): void {
    const call = objectIn(objectIn(event, 'start'), 'toolUse');
    const index = blockIndex(event);
    if (call === null || this.#finished || this.#calls.has(index)) return;
    const name = stringIn(call, 'name') ?? '';
    const isAnswer = name === this.#tools.answer;
    const isOurs = isAnswer || call['type'] === 'server_tool_use' || this.#tools.hidden.has(name);
    this.#calls.set(index, { index: isOurs ? null : this.#callCount, isAnswer, begun: false });
    if (isAnswer) this.#held = '';
    if (isOurs) return;
    const id = callId(stringIn(call, 'toolUseId'), this.#context.id, this.#callCount);
    const head = { id, type: 'function', function: { name: this.#tools.names.get(name) ?? name, arguments: '' } };
    this.#chunks.delta({ tool_calls: [{ index: this.#callCount, ...head }] }, out);
    this.#callCount += 1;
  }

  delta(event: JsonObject, out: EventSink): void {
    const delta = objectIn(event, 'delta');
    if (delta === null || this.#finished) return;
    this.#text(stringIn(delta, 'text') ?? '', out);
    const call = objectIn(delta, 'toolUse');
    if (call !== null) this.#input(blockIndex(event), call['input'], out);
    const thought = objectIn(delta, 'reasoningContent');
    if (thought !== null) this.#thought(blockIndex(event), thought, out);
  }

  stopBlock(index: number, out: EventSink): void {
    if (this.#finished) return;
    const call = this.#calls.get(index);
    // A tool without parameters has no input at all; clients parse an object.
    if (call !== undefined && !call.begun) this.#input(index, '{}', out);
    this.#calls.delete(index);
    const thought = this.#thoughts.get(index);
    this.#thoughts.delete(index);
    if (thought !== undefined) this.#signed(thought, out);
  }

  finish(event: JsonObject, out: EventSink): void {
    if (this.#finished) return;
    for (const index of [...this.#calls.keys(), ...this.#thoughts.keys()]) this.stopBlock(index, out);
    if (this.#held !== '' && !this.#answered) this.#chunks.delta({ content: this.#held }, out);
    this.#finished = true;
    this.#chunks.finish(finishReason(stringIn(event, 'stopReason'), this.#callCount), stopSequence(event), out);
    this.#tellUsage(out);
  }

  metadata(event: JsonObject, out: EventSink): void {
    this.#usage = normaliseConverseUsage(objectIn(event, 'usage') ?? {}) ?? this.#usage;
    this.#tellUsage(out);
  }

  #tellUsage(out: EventSink) {
    if (!this.#context.includeUsage || !this.#finished || this.#usage === null || this.#usageTold) return;
    this.#usageTold = true;
    this.#chunks.usage(chatUsage(this.#usage), out);
  }

  #text(text: string, out: EventSink) {
    if (text === '' || this.#answered) return;
    if (this.#tools.answer === null) this.#chunks.delta({ content: text }, out);
    else this.#held += text;
  }

  #input(index: number, input: unknown, out: EventSink) {
    const call = this.#calls.get(index);
    const piece = typeof input === 'string' ? input : isObject(input) ? JSON.stringify(input) : '';
    if (call === undefined || piece === '') return;
    call.begun = true;
    if (call.isAnswer) {
      this.#answered = true;
      this.#chunks.delta({ content: piece }, out);
    } else if (call.index !== null) {
      this.#chunks.delta({ tool_calls: [{ index: call.index, function: { arguments: piece } }] }, out);
    }
  }

  #thought(index: number, content: JsonObject, out: EventSink) {
    const thought = this.#thoughts.get(index) ?? { text: '', signature: '', redacted: '' };
    this.#thoughts.set(index, thought);
    const text = stringIn(content, 'text') ?? '';
    thought.text += text;
    thought.signature += stringIn(content, 'signature') ?? '';
    thought.redacted += stringIn(content, 'redactedContent') ?? '';
    if (text !== '') this.#chunks.delta({ [REASONING]: text }, out);
  }

  /** The whole block with its signature, which the next turn has to bring back. */
  #signed({ text, signature, redacted }: OpenThought, out: EventSink) {
    const block = readThought({ reasoningText: { text, signature }, redactedContent: redacted });
    if (block === null) return;
    this.#chunks.delta({ [THINKING_BLOCKS]: [{ ...block, index: this.#thoughtCount }] }, out);
    this.#thoughtCount += 1;
  }
}

function blockIndex(event: JsonObject): number {
  const index = event['contentBlockIndex'];
  return typeof index === 'number' ? index : 0;
}
