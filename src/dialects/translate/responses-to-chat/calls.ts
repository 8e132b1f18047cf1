import type { JsonObject } from '../../json-value.js';
import { type CallPart, CallSlots } from '../../openai-chat/chunk.js';
import { JsonProgress } from '../messages-to-chat/json-progress.js';
import type { CallItem } from './call-item.js';
import type { ItemStatus } from './item.js';

/** A call of the answer, from its first piece on. */
export interface AnswerCall {
  /** Its number in the answer. */
  readonly slot: number;
  id: string;
  name: string;
  extra: JsonObject | null;
}

interface GrowingCall extends AnswerCall {
  /** Pieces of arguments that were not written yet. */
  waiting: string;
  readonly progress: JsonProgress;
  /** All that came is `{}`: the arguments, or what some servers send ahead of them. */
  isEmpty: boolean;
  /** Some piece of the arguments came. */
  isBegun: boolean;
  item: CallItem | null;
}

const EMPTY = /^\s*\{\s*\}\s*$/;

function isWhole(call: GrowingCall): boolean {
  return call.progress.isWhole || call.isEmpty;
}

/** What opens and closes items in the output. */
export interface CallOutlet {
  open(call: AnswerCall): CallItem;
  close(status: ItemStatus): void;
}

/**
 * Writes calls strictly one after the other, whatever order their pieces come in: the first that is not whole grows, those behind
 * it wait. A call is whole when its arguments are; one that has none yet may still get some.
 */
export class Calls {
  readonly #outlet: CallOutlet;
  readonly #slots = new CallSlots();
  readonly #calls: GrowingCall[] = [];
  /** The call in hand. */
  #at = 0;

  constructor(outlet: CallOutlet) {
    this.#outlet = outlet;
  }

  get count(): number {
    return this.#calls.length;
  }

  /** A call is open, and more of it may come. */
  get isOpen(): boolean {
    const call = this.#calls[this.#at];
    return call !== undefined && !isWhole(call);
  }

  accept(part: CallPart): void {
    const slot = this.#slots.slot(part);
    const call = this.#calls[slot] ?? this.#begin(slot);
    if (slot < this.#at || call.progress.isWhole) return;
    call.id ||= part.id;
    call.name ||= part.name;
    call.extra = part.extra ?? call.extra;
    if (part.arguments !== '') this.#grow(call, part.arguments);
    this.#write();
  }

  #grow(call: GrowingCall, piece: string): void {
    call.isEmpty = !call.isBegun && EMPTY.test(piece);
    call.isBegun = true;
    if (call.isEmpty) return;
    call.progress.push(piece);
    call.waiting += piece;
  }

  /** Closes the call in hand, because something else follows. */
  pass(): void {
    if (this.#at >= this.#calls.length) return;
    this.#close('completed');
    this.#write();
  }

  /** Closes all of them; the last one may have been cut. */
  end(status: ItemStatus): void {
    while (this.#at < this.#calls.length) this.#close(this.#at === this.#calls.length - 1 ? status : 'completed');
  }

  #begin(slot: number): GrowingCall {
    const progress = new JsonProgress();
    const call = {
      slot,
      id: '',
      name: '',
      extra: null,
      waiting: '',
      progress,
      isEmpty: false,
      isBegun: false,
      item: null,
    };
    this.#calls[slot] = call;
    return call;
  }

  #write(): void {
    for (let call = this.#calls[this.#at]; call !== undefined && call.name !== ''; call = this.#calls[this.#at]) {
      this.#writeInto(call);
      if (!isWhole(call) || this.#at + 1 >= this.#calls.length) return;
      this.#close('completed');
    }
  }

  #writeInto(call: GrowingCall): CallItem {
    call.item ??= this.#outlet.open(call);
    call.item.push(call.waiting);
    call.waiting = '';
    return call.item;
  }

  #close(status: ItemStatus): void {
    const call = this.#calls[this.#at];
    if (call === undefined) return;
    if (call.isEmpty) call.waiting = '{}';
    this.#writeInto(call);
    this.#outlet.close(status);
    this.#at += 1;
  }
}
