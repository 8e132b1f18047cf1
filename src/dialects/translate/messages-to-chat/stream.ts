import { type JsonObject, stringIn } from '../../json-value.js';
import { type CallPart, CallSlots, type ChatPart, readChatEvent } from '../../openai-chat/chunk.js';
import { readFinish } from '../../openai-chat/finish.js';
import type { EventSink, StreamError, StreamTranslator } from '../translation.js';
import { BlocksOut, newBlock, type OutBlock } from './blocks-out.js';
import { AnswerUsage, CallIds, messageHead, type Reply, stopMembers } from './reply.js';
import { thinkingBlock } from './response.js';

/** Anthropic's types of errors by status; everything else is `api_error`. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

interface OpenCall {
  readonly block: OutBlock;
  name: string;
}

/** Chat chunks as the events of a message. */
export class MessagesStream implements StreamTranslator {
  readonly #reply: Reply;
  readonly #usage: AnswerUsage;
  readonly #blocks = new BlocksOut();
  readonly #slots = new CallSlots();
  readonly #calls: OpenCall[] = [];
  readonly #ids: CallIds;
  #model = '';
  #finish: string | null = null;
  #stopSequence: string | null = null;
  #refused = false;
  #isStarted = false;
  #isOver = false;

  constructor(reply: Reply) {
    this.#reply = reply;
    this.#usage = new AnswerUsage(reply.context);
    this.#ids = new CallIds(reply.context);
  }

  event(_type: string, data: JsonObject, out: EventSink): void {
    if (this.#isOver) return;
    const { model, choices, usage } = readChatEvent(data);
    this.#model ||= model;
    this.#usage.take(usage);
    // Nobody who speaks this dialect can ask for more than one.
    const choice = choices.find(({ index }) => index === 0);
    if (choice === undefined) return;
    this.#start(out);
    for (const part of choice.parts) this.#part(part);
    this.#blocks.flush(out);
    this.#finish = choice.finish ?? this.#finish;
    this.#stopSequence = choice.stopSequence ?? this.#stopSequence;
  }

  /** The end waits for this, not for the finish reason: usage and more may follow that. */
  done(out: EventSink): void {
    if (!this.#isOver && !this.#isBroken()) this.#end(out);
  }

  end(out: EventSink): boolean {
    if (!this.#isOver && this.#finish !== null && !this.#isBroken()) this.#end(out);
    return this.#isOver;
  }

  fail({ message, status }: StreamError, out: EventSink): void {
    if (this.#isOver) return;
    this.#isOver = true;
    out.event('error', { type: 'error', error: { type: ERROR_TYPES[status] ?? 'api_error', message } });
  }

  /** The provider says that it gave up: no end, so that nobody takes the answer for complete. */
  #isBroken(): boolean {
    return readFinish(this.#finish, false) === 'error';
  }

  #start(out: EventSink): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const message = messageHead(this.#reply, this.#model, this.#usage.atStart());
    out.event('message_start', { type: 'message_start', message });
  }

  #end(out: EventSink): void {
    this.#start(out);
    this.#blocks.end(out);
    const ending = {
      finish: this.#finish,
      stopSequence: this.#stopSequence,
      calls: this.#calls.length > 0,
      refused: this.#refused,
    };
    const delta = stopMembers(ending, this.#reply);
    out.event('message_delta', { type: 'message_delta', delta, usage: this.#usage.now() });
    out.event('message_stop', { type: 'message_stop' });
    this.#isOver = true;
  }

  #part(part: ChatPart): void {
    if (part.kind === 'call') this.#call(part);
    else if (part.kind === 'thinking-block') this.#thinkingBlock(part.block);
    else if (part.kind === 'reasoning') this.#thought(part.text);
    else this.#text(part.text, part.kind === 'refusal');
  }

  #text(text: string, isRefusal: boolean): void {
    this.#refused ||= isRefusal;
    this.#usage.count(text);
    this.#blocks.fill(this.#lastOf('text', { type: 'text', text: '' }), { type: 'text_delta', text }, text);
  }

  #thought(thinking: string): void {
    this.#usage.count(thinking);
    if (!this.#reply.showsThoughts) return;
    const block = this.#lastOf('thinking', { type: 'thinking', thinking: '', signature: '' });
    this.#blocks.fill(block, { type: 'thinking_delta', thinking }, thinking);
  }

  /** The end of a block whose text has come, or the whole of one whose text has not. */
  #thinkingBlock(stated: JsonObject): void {
    const [block] = thinkingBlock(stated);
    if (block === undefined) return;
    if (block['type'] === 'redacted_thinking') {
      this.#blocks.add(newBlock('whole', () => block));
      return;
    }
    const last = this.#blocks.last;
    const open = last?.kind === 'thinking' ? last : null;
    if (open === null && block['thinking'] !== '') this.#fillThought(stringIn(block, 'thinking') ?? '');
    const signed = open ?? this.#lastOf('thinking', { type: 'thinking', thinking: '', signature: '' });
    this.#blocks.fill(signed, { type: 'signature_delta', signature: block['signature'] }, '');
    signed.isWhole = true;
  }

  #fillThought(thinking: string): void {
    const block = this.#lastOf('thinking', { type: 'thinking', thinking: '', signature: '' });
    this.#blocks.fill(block, { type: 'thinking_delta', thinking }, thinking);
  }

  #lastOf(kind: 'text' | 'thinking', start: JsonObject): OutBlock {
    const { last } = this.#blocks;
    return last?.kind === kind ? last : this.#blocks.add(newBlock(kind, () => start));
  }

  #call(part: CallPart): void {
    const slot = this.#slots.slot(part);
    const call = this.#calls[slot] ?? this.#beginCall(part);
    call.name ||= part.name;
    this.#usage.count(part.name + part.arguments);
    if (part.arguments === '' || (!call.block.isFilled && part.arguments.trim() === '')) return;
    this.#blocks.fill(call.block, { type: 'input_json_delta', partial_json: part.arguments }, part.arguments);
  }

  #beginCall(part: CallPart): OpenCall {
    const id = this.#ids.idOf(part.id, part.extra);
    const block = newBlock('tool', () => {
      if (call.name === '' && !block.isWhole) return null;
      return { type: 'tool_use', id, name: this.#reply.names.get(call.name) ?? call.name, input: {} };
    });
    const call: OpenCall = { block: this.#blocks.add(block), name: '' };
    this.#calls.push(call);
    return call;
  }
}
