import type { JsonObject } from '../../json-value.js';
import type { EventSink } from '../translation.js';

/** How an item ended: `incomplete` where the answer was cut in it. */
export type ItemStatus = 'completed' | 'incomplete';

/** An item of the output that still grows. */
export interface OpenItem {
  /** As it is now, without telling anybody. */
  snapshot(status: ItemStatus): JsonObject;
  /** Writes its last events; returns the item. */
  close(status: ItemStatus): JsonObject;
}

/** Numbers the events of one answer from 0. */
export class EventWriter {
  /** Where events go now; a stream's sink is handed in with every event of the provider. */
  out: EventSink;
  #next = 0;

  constructor(out: EventSink) {
    this.out = out;
  }

  event(type: string, members: JsonObject): void {
    this.out.event(type, { type, ...members, sequence_number: this.#next });
    this.#next += 1;
  }
}

/** Where an item stands in the output, and the events that name it. */
export class ItemPlace {
  readonly id: string;
  readonly #index: number;
  readonly #writer: EventWriter;

  constructor(id: string, index: number, writer: EventWriter) {
    this.id = id;
    this.#index = index;
    this.#writer = writer;
  }

  added(item: JsonObject): void {
    this.#writer.event('response.output_item.added', { output_index: this.#index, item });
  }

  done(item: JsonObject): JsonObject {
    this.#writer.event('response.output_item.done', { output_index: this.#index, item });
    return item;
  }

  /** An event about something inside the item. */
  inside(type: string, members: JsonObject): void {
    this.#writer.event(type, { item_id: this.id, output_index: this.#index, ...members });
  }
}
