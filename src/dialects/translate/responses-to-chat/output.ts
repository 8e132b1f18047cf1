import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { type CallPart, type ChatPart, readChatBody, readChatEvent } from '../../openai-chat/chunk.js';
import { type Finish, readFinish } from '../../openai-chat/finish.js';
import { normaliseUsage } from '../../openai-usage.js';
import { responsesUsage } from '../../stated-usage.js';
import { emptyUsage } from '../../usage.js';
import type { EventSink, StreamError } from '../translation.js';
import { CALL_PREFIXES, type CallItem, openCallItem } from './call-item.js';
import { type AnswerCall, Calls } from './calls.js';
import { sealCarried } from './carried.js';
import { EventWriter, ItemPlace, type ItemStatus, type OpenItem } from './item.js';
import { MessageItem } from './message-item.js';
import { ReasoningItem } from './reasoning-item.js';
import { plainId, tierOf } from './response-object.js';
import { type DeclaredTool, declaredTool } from './tool-table.js';

/** What an answer must know of its request. */
export interface Reply {
  /** See `responseFrame`. */
  readonly frame: JsonObject;
  /** The base of ids. */
  readonly id: string;
  /** By the names of their functions. */
  readonly tools: ReadonlyMap<string, DeclaredTool>;
}

type TextPart = Extract<ChatPart, { readonly text: string }>;

/** Builds the output of one answer, item after item, and writes its events. A whole answer is one event read by `body`. */
export class Output {
  readonly #reply: Reply;
  readonly #writer: EventWriter;
  readonly #calls: Calls;
  readonly #items: JsonObject[] = [];
  #open: OpenItem | null = null;
  #head: JsonObject = {};
  #usage: JsonObject = {};
  #finish: string | null = null;
  /** Text and thoughts that came between the pieces of a call. */
  #late: TextPart[] = [];
  /** To be sealed in the next item of reasoning. */
  #blocks: JsonObject[] = [];
  #signatures = new Map<string, JsonObject>();
  #extra: JsonObject | null = null;
  /** Text of thoughts came since the last block of thoughts. */
  #thought = false;

  constructor(reply: Reply, out: EventSink) {
    this.#reply = reply;
    this.#writer = new EventWriter(out);
    this.#calls = new Calls({
      open: (call) => this.#openCall(call),
      close: (status) => this.#close(status),
    });
  }

  set out(out: EventSink) {
    this.#writer.out = out;
  }

  /** The provider said how the answer ended, and it did not end by an error. */
  get isFinished(): boolean {
    return this.#finish !== null && this.finish !== 'error';
  }

  get finish(): Finish {
    return readFinish(this.#finish, this.#calls.count > 0);
  }

  begin(event: JsonObject): void {
    this.#readHead(event);
    this.#writer.event('response.created', { response: this.#response({}) });
    this.#writer.event('response.in_progress', { response: this.#response({}) });
  }

  /** An event of a stream. */
  event(event: JsonObject): void {
    this.#read(event, readChatEvent(event));
  }

  /** A whole answer. */
  body(body: JsonObject): void {
    this.#read(body, readChatBody(body));
  }

  /** Closes everything; returns the Response as its last event shows it. */
  complete(): JsonObject {
    const { finish } = this;
    const reason = INCOMPLETE[finish];
    const status: ItemStatus = reason === undefined ? 'completed' : 'incomplete';
    this.#calls.end(status);
    for (const part of this.#late) this.#readText(part, []);
    this.#close(status);
    if (this.#hasToSeal || this.#extra !== null) this.#think();
    this.#close(status);
    const response = this.#response({
      status,
      incomplete_details: reason === undefined ? null : { reason },
      usage: responsesUsage(normaliseUsage(this.#usage) ?? emptyUsage()),
    });
    this.#writer.event(`response.${status}`, { response });
    return response;
  }

  /** The answer broke: what there is of it, and why. */
  fail({ message, code }: StreamError): JsonObject {
    const open = this.#open === null ? [] : [this.#open.snapshot('incomplete')];
    const shown = code === 'provider_rate_limited' ? 'rate_limit_exceeded' : 'server_error';
    const usage = normaliseUsage(this.#usage);
    const response = this.#response({
      status: 'failed',
      error: { code: shown, message },
      output: [...this.#items, ...open],
      usage: usage === null ? null : responsesUsage(usage),
    });
    this.#writer.event('response.failed', { response });
    return response;
  }

  #response(members: JsonObject): JsonObject {
    return { ...this.#reply.frame, ...this.#head, output: [...this.#items], ...members };
  }

  #readHead(event: JsonObject): void {
    const model = stringIn(event, 'model') || null;
    this.#head = { ...this.#head, ...(model === null ? {} : { model }), ...tierOf(event) };
  }

  #read(event: JsonObject, { choices, usage }: ReturnType<typeof readChatEvent>): void {
    this.#readHead(event);
    if (usage !== null) this.#takeUsage(usage);
    const at = choices.findIndex(({ index }) => index === 0);
    const choice = choices[at];
    if (choice === undefined) return;
    let logprobs = logprobsOf(event, at);
    // A whole answer has its thoughts as one text and as blocks: then the text is shown, not the blocks.
    const shown = choice.parts.some(({ kind }) => kind === 'reasoning');
    for (const part of choice.parts) {
      if (part.kind === 'thinking-block') this.#takeBlock(part.block, shown);
      else this.#readPart(part, part.kind === 'text' ? logprobs : []);
      if (part.kind === 'text') logprobs = [];
    }
    this.#extra = choice.extra ?? this.#extra;
    this.#finish = choice.finish ?? this.#finish;
  }

  /** Members are overwritten one by one: the last value stands, nothing is summed. */
  #takeUsage(usage: JsonObject): void {
    const stated = Object.entries(usage).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(stated) };
  }

  #readPart(part: TextPart | CallPart, logprobs: readonly JsonObject[]): void {
    if (part.kind === 'call') this.#calls.accept(part);
    else if (this.#calls.isOpen) this.#late.push(part);
    else this.#readText(part, logprobs);
  }

  #readText({ kind, text }: TextPart, logprobs: readonly JsonObject[]): void {
    this.#calls.pass();
    if (kind === 'reasoning') {
      this.#thought = true;
      this.#think().text(text);
    }
    if (kind === 'refusal') this.#speak().refusal(text);
    if (kind === 'text') this.#speak().text(text, logprobs);
  }

  /** A block whose text came before is only kept; one that comes alone is shown too. */
  #takeBlock(block: JsonObject, shown: boolean): void {
    const text = stringIn(block, 'thinking') ?? '';
    if (!shown && !this.#thought && text !== '') this.#readPart({ kind: 'reasoning', text }, []);
    this.#blocks.push(block);
    this.#thought = false;
    if (this.#open instanceof ReasoningItem) this.#open.endPart();
  }

  #think(): ReasoningItem {
    if (this.#open instanceof ReasoningItem) return this.#open;
    this.#close('completed');
    const item = new ReasoningItem(this.#place('rs'), () => this.#seal());
    this.#open = item;
    return item;
  }

  #speak(): MessageItem {
    if (this.#open instanceof MessageItem) return this.#open;
    this.#leaveThoughts();
    const item = new MessageItem(this.#place('msg'));
    this.#open = item;
    return item;
  }

  #openCall(call: AnswerCall): CallItem {
    const callId = call.id === '' ? `call_${plainId(this.#reply.id)}_${call.slot}` : call.id;
    if (call.extra !== null) this.#signatures.set(callId, call.extra);
    this.#leaveThoughts();
    const tool = declaredTool(this.#reply.tools, call.name);
    const item = openCallItem({ place: this.#place(CALL_PREFIXES[tool.kind]), callId, tool });
    this.#open = item;
    return item;
  }

  /** Closes what is open; what must be sealed stands in an item of reasoning in front of what follows. */
  #leaveThoughts(): void {
    if (this.#hasToSeal) this.#think();
    this.#close('completed');
  }

  get #hasToSeal(): boolean {
    return this.#blocks.length > 0 || this.#signatures.size > 0;
  }

  #seal(): string {
    const sealed = sealCarried({ blocks: this.#blocks, calls: this.#signatures, extra: this.#extra });
    this.#blocks = [];
    this.#signatures = new Map();
    this.#extra = null;
    return sealed;
  }

  #close(status: ItemStatus): void {
    if (this.#open === null) return;
    const open = this.#open;
    this.#open = null;
    this.#items.push(open.close(status));
  }

  #place(prefix: string): ItemPlace {
    const index = this.#items.length;
    return new ItemPlace(`${prefix}_${plainId(this.#reply.id)}_${index}`, index, this.#writer);
  }
}

const INCOMPLETE: Readonly<Partial<Record<Finish, string>>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

function logprobsOf(event: JsonObject, at: number): readonly JsonObject[] {
  const choice = listIn(event, 'choices').filter(isObject)[at];
  return listIn(objectIn(choice, 'logprobs'), 'content').filter(isObject);
}
