import type { HeaderView } from '../../gateway/headers.js';
import { ATTRIBUTES, METADATA_NAMESPACE, type Phase } from '../messages.js';
import { PlainFields } from './plain-fields.js';
import { WireReader } from './reader.js';
import { WireHeaders } from './wire-headers.js';

/*
 * ProcessingRequest by hand: one pass over the outermost fields, the rest when it is asked for, and no copy of a body.
 * Field numbers: proto/external_processor.proto. A property test holds it against protobufjs.
 */

/** Tag of a length-delimited field. */
const message = (field: number): number => (field << 3) | 2;

const PHASES: ReadonlyMap<number, Phase> = new Map([
  [message(2), 'request_headers'],
  [message(3), 'response_headers'],
  [message(4), 'request_body'],
  [message(5), 'response_body'],
  [message(6), 'request_trailers'],
  [message(7), 'response_trailers'],
]);
const METADATA_FIELD = message(8);
const ATTRIBUTES_FIELD = message(9);

const NO_BODY = Buffer.alloc(0);
const NO_HEADERS = new WireHeaders(NO_BODY, 0, 0);

/** @throws RangeError for bytes that are no such message, here or when a part of it is asked for */
export function decodeRequest(bytes: Buffer): ProcessingRequest {
  return new ProcessingRequest(bytes);
}

/** What Envoy tells, as views of the message's bytes. */
export class ProcessingRequest {
  readonly bytes: Buffer;
  /** null: none that is known here. */
  phase: Phase | null = null;
  /** Nothing of its direction follows but trailers. */
  last = false;
  /** Of the two body phases. */
  body: Buffer = NO_BODY;
  /** Of the two headers phases. */
  headers: HeaderView = NO_HEADERS;
  /** Where these begin, -1 = there are none. */
  #metadataAt = -1;
  #attributesAt = -1;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    const reader = new WireReader(bytes);
    while (!reader.done) {
      const { at } = reader;
      const tag = reader.tag();
      const phase = PHASES.get(tag);
      if (phase !== undefined) this.#readPhase(reader, phase);
      else {
        if (tag === ATTRIBUTES_FIELD && this.#attributesAt < 0) this.#attributesAt = at;
        else if (tag === METADATA_FIELD) this.#metadataAt = at;
        reader.skip(tag);
      }
    }
  }

  /** The attributes that the filter was told to send. */
  attributes(): PlainFields {
    if (this.#attributesAt < 0) return PlainFields.NONE;
    return entryOf(new WireReader(this.bytes, this.#attributesAt), ATTRIBUTES_FIELD, ATTRIBUTES);
  }

  /** Dynamic metadata that the service itself has set before. */
  metadata(): PlainFields {
    if (this.#metadataAt < 0) return PlainFields.NONE;
    const reader = new WireReader(this.bytes, this.#metadataAt);
    reader.tag();
    reader.enter();
    return entryOf(reader, message(1), METADATA_NAMESPACE);
  }

  #readPhase(reader: WireReader, phase: Phase): void {
    this.phase = phase;
    const outer = reader.enter();
    if (phase === 'response_body' || phase === 'request_body') this.#readBody(reader);
    else if (phase === 'request_headers' || phase === 'response_headers') this.#readHeaders(reader);
    reader.leave(outer);
  }

  #readBody(reader: WireReader): void {
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === message(1)) this.body = reader.view();
      else if (tag === 2 << 3) this.last = reader.varint() !== 0;
      else reader.skip(tag);
    }
  }

  #readHeaders(reader: WireReader): void {
    this.headers = new WireHeaders(this.bytes, reader.at, reader.end);
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === 3 << 3) this.last = reader.varint() !== 0;
      else reader.skip(tag);
    }
  }
}

/** One entry of a `map<string, Struct>`, whose entries are this field of what is being read. */
function entryOf(reader: WireReader, field: number, name: string): PlainFields {
  let found = PlainFields.NONE;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag !== field) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.enter();
    let key = '';
    let value = PlainFields.NONE;
    while (!reader.done) {
      const inner = reader.tag();
      if (inner === message(1)) key = reader.name();
      else if (inner === message(2)) value = PlainFields.read(reader);
      else reader.skip(inner);
    }
    if (key === name) found = value;
    reader.leave(outer);
  }
  return found;
}
