import type { JsonObject } from '../../json-value.js';
import { EXTRA_CONTENT, REASONING } from '../hub.js';
import { type Piece, PieceReader } from './pieces.js';

/** Numbers the calls of an answer over all of its choices. */
export interface CallIds {
  next(): string;
}

/** One choice while its candidate comes. */
export class Choice {
  readonly index: number;
  readonly reader = new PieceReader();
  /** All text, kept only where places in it may be needed. */
  text = '';
  calls = 0;
  begun = false;
  finished = false;
  readonly #ids: CallIds;

  constructor(index: number, ids: CallIds) {
    this.index = index;
    this.#ids = ids;
  }

  /** A piece as a `delta`; calls come whole. */
  delta(piece: Piece): JsonObject {
    switch (piece.kind) {
      case 'text':
        return { ...(piece.text === '' ? {} : { content: piece.text }), ...extra(piece.signature) };
      case 'thought':
        return { ...(piece.text === '' ? {} : { [REASONING]: piece.text }), ...extra(piece.signature) };
      case 'call':
        return { tool_calls: [{ index: this.calls, ...this.call(piece) }] };
      case 'image':
        return { images: [image(piece.url)] };
      case 'audio':
        return { audio: { data: piece.data } };
    }
  }

  call(piece: Piece & { kind: 'call' }): JsonObject {
    this.calls += 1;
    const named = { name: piece.name, arguments: piece.arguments };
    return { id: this.#ids.next(), type: 'function', function: named, ...extra(piece.signature) };
  }
}

export function image(url: string): JsonObject {
  return { type: 'image_url', image_url: { url } };
}

/** Google's own place for it on its OpenAI endpoint. */
export function extra(signature: string | null): JsonObject {
  return signature === null ? {} : { [EXTRA_CONTENT]: { google: { thought_signature: signature } } };
}
