import type { WireReader } from './reader.js';

/** Tag of a length-delimited field. */
const message = (field: number): number => (field << 3) | 2;
const NUMBER = (2 << 3) | 1;

/** The texts and numbers of one `google.protobuf.Struct`; what is nested in it is stepped over. */
export class PlainFields {
  static readonly NONE = new PlainFields();
  readonly #values = new Map<string, string | number>();

  /** Reads the struct that comes next. */
  static read(reader: WireReader): PlainFields {
    const fields = new PlainFields();
    const outer = reader.enter();
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === message(1)) fields.#read(reader);
      else reader.skip(tag);
    }
    reader.leave(outer);
    return fields;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }

  #read(reader: WireReader): void {
    let name = '';
    let value: string | number | undefined;
    const outer = reader.enter();
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === message(1)) name = reader.name();
      else if (tag === message(2)) value = readValue(reader);
      else reader.skip(tag);
    }
    reader.leave(outer);
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, value);
  }
}

function readValue(reader: WireReader): string | number | undefined {
  let value: string | number | undefined;
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    // Most come with every message: a cluster's name, who answered.
    if (tag === message(3)) value = reader.name();
    else if (tag === NUMBER) value = reader.double();
    else {
      // Another kind of value.
      value = undefined;
      reader.skip(tag);
    }
  }
  reader.leave(outer);
  return value;
}
