import type { HeaderView } from '../../gateway/headers.js';
import { WireReader } from './reader.js';

/** Tag of a length-delimited field. */
const message = (field: number): number => (field << 3) | 2;

/**
 * The headers of one message, read from its bytes: where each lies when the first one is asked for, its value when that is.
 * A request asks for a handful of some twenty.
 */
export class WireHeaders implements HeaderView {
  readonly #bytes: Buffer;
  readonly #from: number;
  readonly #to: number;
  /** One for each header, in their order; null until somebody asks. */
  #names: string[] | null = null;
  readonly #texts: (string | null)[] = [];
  /** Begin and end of each value. */
  readonly #values: number[] = [];

  /** @param from where the content of an HttpHeaders begins @param to and ends */
  constructor(bytes: Buffer, from: number, to: number) {
    this.#bytes = bytes;
    this.#from = from;
    this.#to = to;
  }

  get(name: string): string | undefined {
    const index = this.#index().indexOf(name);
    return index < 0 ? undefined : this.#text(index);
  }

  all(name: string): readonly string[] {
    const names = this.#index();
    let found = names.indexOf(name);
    if (found < 0) return NONE;
    const texts: string[] = [];
    for (; found >= 0; found = names.indexOf(name, found + 1)) texts.push(this.#text(found));
    return texts;
  }

  names(): readonly string[] {
    return this.#index();
  }

  entries(): readonly (readonly [name: string, value: string])[] {
    return this.#index().map((name, index) => [name, this.#text(index)] as const);
  }

  #text(index: number): string {
    // Header bytes are latin1 by RFC 9110, never UTF-8 to be interpreted.
    const text =
      this.#texts[index] ?? this.#bytes.toString('latin1', this.#values[2 * index], this.#values[2 * index + 1]);
    this.#texts[index] = text;
    return text;
  }

  #index(): string[] {
    if (this.#names !== null) return this.#names;
    const names: string[] = [];
    const reader = new WireReader(this.#bytes, this.#from, this.#to);
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === message(1)) this.#readMap(reader, names);
      else reader.skip(tag);
    }
    this.#names = names;
    return names;
  }

  #readMap(reader: WireReader, names: string[]): void {
    const outer = reader.enter();
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === message(1)) this.#readHeader(reader, names);
      else reader.skip(tag);
    }
    reader.leave(outer);
  }

  #readHeader(reader: WireReader, names: string[]): void {
    let name = '';
    let text: string | null = null;
    let from = 0;
    let to = 0;
    const outer = reader.enter();
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === message(1)) name = reader.name();
      else if (tag === message(3)) {
        from = reader.span();
        to = reader.at;
      } else if (tag === message(2)) text = reader.text();
      else reader.skip(tag);
    }
    reader.leave(outer);
    names.push(name);
    // Envoy fills `raw_value`.
    this.#texts.push(from < to ? null : (text ?? ''));
    this.#values.push(from, to);
  }
}

const NONE: readonly string[] = [];
