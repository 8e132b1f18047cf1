import type { JsonObject } from '../../json-value.js';
import type { EventSink } from '../translation.js';
import { JsonProgress } from './json-progress.js';

/** A block of an answer on its way to the client. */
export interface OutBlock {
  readonly kind: 'text' | 'thinking' | 'tool' | 'whole';
  /** As `content_block_start` shows it. Asked for when the block is written; null = not yet. */
  start(): JsonObject | null;
  /** Deltas that were not written yet. */
  pending: JsonObject[];
  /** Nothing more can come to it. */
  isWhole: boolean;
  /** Of tools: how far the arguments have come. */
  readonly json: JsonProgress | null;
  /** Some delta was taken. */
  isFilled: boolean;
}

export function newBlock(kind: OutBlock['kind'], start: () => JsonObject | null): OutBlock {
  const json = kind === 'tool' ? new JsonProgress() : null;
  return { kind, start, pending: [], isWhole: kind === 'whole', json, isFilled: false };
}

/**
 * Writes blocks strictly one after the other, as the dialect demands, whatever order their pieces come in: the first block that
 * is not whole is written as it grows, those behind it wait. Clients read deltas by position, so a block that was closed cannot
 * be opened again; a call is closed early only when its arguments are a whole JSON value.
 */
export class BlocksOut {
  readonly #blocks: OutBlock[] = [];
  /** Position of the block in hand, also its index in the client's message. */
  #at = 0;
  #isOpen = false;

  /** The block that came last, if it may grow. */
  get last(): OutBlock | null {
    const last = this.#blocks.at(-1);
    return last === undefined || last.isWhole ? null : last;
  }

  add(block: OutBlock): OutBlock {
    this.#blocks.push(block);
    return block;
  }

  /** Adds to a block; what comes after it was closed can no longer be told. */
  fill(block: OutBlock, delta: JsonObject, text: string): void {
    if (block.isWhole) return;
    block.json?.push(text);
    block.pending.push(delta);
    block.isFilled = true;
  }

  /** Writes all that may be written now. */
  flush(out: EventSink): void {
    for (let block = this.#blocks[this.#at]; block !== undefined; block = this.#blocks[this.#at]) {
      const start = this.#isOpen ? null : block.start();
      if (!this.#isOpen && start === null) return;
      this.#write(block, start, out);
      if (!this.#isOver(block)) return;
      this.#close(block, out);
    }
  }

  /** Closes everything. */
  end(out: EventSink): void {
    for (const block of this.#blocks.slice(this.#at)) block.isWhole = true;
    this.flush(out);
  }

  #isOver(block: OutBlock): boolean {
    if (block.isWhole) return true;
    const isFollowed = this.#at + 1 < this.#blocks.length;
    return isFollowed && (block.json === null || block.json.isWhole);
  }

  #write(block: OutBlock, start: JsonObject | null, out: EventSink): void {
    if (start !== null) {
      this.#isOpen = true;
      this.#event('content_block_start', { content_block: start }, out);
    }
    for (const delta of block.pending) this.#event('content_block_delta', { delta }, out);
    block.pending = [];
  }

  #close(block: OutBlock, out: EventSink): void {
    // Clients that put the arguments together themselves parse what they got.
    if (block.kind === 'tool' && !block.isFilled) {
      this.#event('content_block_delta', { delta: { type: 'input_json_delta', partial_json: '{}' } }, out);
    }
    this.#event('content_block_stop', {}, out);
    block.isWhole = true;
    this.#isOpen = false;
    this.#at += 1;
  }

  #event(type: string, members: JsonObject, out: EventSink): void {
    out.event(type, { type, index: this.#at, ...members });
  }
}
