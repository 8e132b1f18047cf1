import { isObject, type JsonObject, listIn, objectIn } from '../../json-value.js';
import { type CallPart, CallSlots, type ChatChoice, type ChatPart, readChatEvent } from '../../openai-chat/chunk.js';
import { readFinish } from '../../openai-chat/finish.js';
import type { EventSink, StreamError, StreamTranslator } from '../translation.js';
import { callPart, citations, imageParts, logprobs, signatureOf, textPart } from './pieces.js';
import { answerHead, finishMembers, type Reply, usageMembers } from './response.js';

/** google.rpc.Code by status. */
const STATUSES: Readonly<Record<number, string>> = {
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

interface OpenCall {
  id: string;
  name: string;
  arguments: string;
  extra: JsonObject | null;
}

/** One candidate while its choice comes. */
class Candidate {
  readonly slots = new CallSlots();
  readonly calls: OpenCall[] = [];
  finish: string | null = null;
  hasThoughts = false;
  malformed = false;

  /** Pieces of arguments are kept until the call is whole. */
  add(part: CallPart): void {
    const slot = this.slots.slot(part);
    const call = this.calls[slot] ?? { id: '', name: '', arguments: '', extra: null };
    this.calls[slot] = call;
    call.id ||= part.id;
    call.name ||= part.name;
    call.arguments += part.arguments;
    call.extra = part.extra ?? call.extra;
  }

  /** Calls that have come, all of them whole now. */
  takeCalls(): JsonObject[] {
    const parts = this.calls.flatMap((call) => {
      const part = callPart(call);
      this.malformed ||= part === null;
      return part === null ? [] : [part];
    });
    this.calls.length = 0;
    return parts;
  }
}

/** Chat chunks as those of `streamGenerateContent`: each is an answer by itself, and the last one has the end and the usage. */
export class GenerateStream implements StreamTranslator {
  readonly #reply: Reply;
  readonly #candidates = new Map<number, Candidate>();
  #model = '';
  #usage: JsonObject | null = null;
  #isOver = false;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  event(_type: string, data: JsonObject, out: EventSink): void {
    if (this.#isOver) return;
    const { model, choices, usage } = readChatEvent(data);
    this.#model ||= model;
    if (usage !== null) this.#usage = { ...this.#usage, ...stated(usage) };
    const raw = listIn(data, 'choices').filter(isObject);
    for (const [at, choice] of choices.entries()) this.#choice(choice, raw[at], out);
  }

  done(out: EventSink): void {
    if (this.#candidates.size > 0 && !this.#isBroken()) this.#end(out);
  }

  end(out: EventSink): boolean {
    const all = [...this.#candidates.values()];
    if (all.length > 0 && all.every(({ finish }) => finish !== null) && !this.#isBroken()) this.#end(out);
    return this.#isOver;
  }

  fail({ message, status }: StreamError, out: EventSink): void {
    if (this.#isOver) return;
    this.#isOver = true;
    out.event('', { error: { code: status, message, status: STATUSES[status] ?? 'INTERNAL' } });
  }

  #choice(choice: ChatChoice, raw: JsonObject | undefined, out: EventSink) {
    const candidate = this.#candidates.get(choice.index) ?? new Candidate();
    this.#candidates.set(choice.index, candidate);
    const delta = objectIn(raw, 'delta');
    const parts = choice.parts.flatMap((part) => this.#part(part, candidate) ?? []);
    parts.push(...imageParts(delta));
    const extra = signatureOf(choice.extra);
    if (Object.keys(extra).length > 0) parts.push({ text: '', ...extra });
    candidate.finish = choice.finish ?? candidate.finish;
    if (candidate.finish !== null) parts.push(...candidate.takeCalls());
    if (parts.length === 0) return;
    const content = { role: 'model', parts };
    this.#write([{ content, ...citations(delta), ...logprobs(raw), index: choice.index }], {}, out);
  }

  #part(part: ChatPart, candidate: Candidate): JsonObject | null {
    if (part.kind === 'call') {
      candidate.add(part);
      return null;
    }
    const { hasThoughts } = candidate;
    if (part.kind === 'reasoning') candidate.hasThoughts = true;
    if (part.kind === 'thinking-block') candidate.hasThoughts = false;
    return textPart(part, this.#reply.showsThoughts, hasThoughts);
  }

  /** The provider says that it gave up: no end, so that nobody takes the answer for complete. */
  #isBroken(): boolean {
    return [...this.#candidates.values()].some(({ finish }) => readFinish(finish, false) === 'error');
  }

  #end(out: EventSink) {
    if (this.#isOver) return;
    this.#isOver = true;
    const candidates = [...this.#candidates].map(([index, candidate]) => {
      const calls = candidate.takeCalls();
      const content = { role: 'model', parts: calls.length > 0 ? calls : [{ text: '' }] };
      return { content, ...finishMembers(candidate.finish, candidate.malformed), index };
    });
    this.#write(candidates, usageMembers(this.#usage), out);
  }

  #write(candidates: readonly JsonObject[], more: JsonObject, out: EventSink) {
    out.event('', { candidates, ...more, ...answerHead(this.#reply, this.#model) });
  }
}

/** Members that are null say nothing. */
function stated(usage: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null));
}
