import type { HeaderValue, HttpBody, HttpHeaders, ProcessingRequest, Struct, Value } from '../messages.js';
import { WireReader } from './reader.js';

/*
 * ProcessingRequest by hand: what protobufjs does with reflection, in one pass over the bytes and without copying
 * bodies. Field numbers: proto/external_processor.proto. A property test holds it against protobufjs.
 */

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Tag of a length-delimited field. */
const message = (field: number): number => (field << 3) | 2;

/** @throws RangeError for bytes that are no such message */
export function decodeRequest(bytes: Buffer): ProcessingRequest {
  const reader = new WireReader(bytes);
  const request: Mutable<ProcessingRequest> = {};
  while (!reader.done) field(reader, reader.tag(), request);
  return request;
}

const REQUEST_HEADERS = message(2);
const RESPONSE_HEADERS = message(3);
const REQUEST_BODY = message(4);
const RESPONSE_BODY = message(5);
const REQUEST_TRAILERS = message(6);
const RESPONSE_TRAILERS = message(7);
const METADATA = message(8);
const ATTRIBUTES = message(9);

function field(reader: WireReader, tag: number, request: Mutable<ProcessingRequest>): void {
  // The order is the frequency.
  if (tag === RESPONSE_BODY) request.response_body = readBody(reader);
  else if (tag === REQUEST_HEADERS) request.request_headers = readHeaders(reader);
  else if (tag === REQUEST_BODY) request.request_body = readBody(reader);
  else if (tag === RESPONSE_HEADERS) request.response_headers = readHeaders(reader);
  else if (tag === ATTRIBUTES) readEntry(reader, attributesOf(request));
  else if (tag === METADATA) request.metadata_context = { filter_metadata: readMetadata(reader) };
  else if (tag === RESPONSE_TRAILERS || tag === REQUEST_TRAILERS) {
    reader.skip(tag);
    if (tag === RESPONSE_TRAILERS) request.response_trailers = {};
    else request.request_trailers = {};
  } else reader.skip(tag);
}

function attributesOf(request: Mutable<ProcessingRequest>): Record<string, Struct> {
  const attributes: Record<string, Struct> = request.attributes ?? Object.create(null);
  request.attributes = attributes;
  return attributes;
}

function readBody(reader: WireReader): HttpBody {
  const body: Mutable<HttpBody> = {};
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) body.body = reader.view();
    else if (tag === 2 << 3) body.end_of_stream = reader.varint() !== 0;
    else reader.skip(tag);
  }
  reader.leave(outer);
  return body;
}

function readHeaders(reader: WireReader): HttpHeaders {
  const list: HeaderValue[] = [];
  const headers: Mutable<HttpHeaders> = { headers: { headers: list } };
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) readHeaderMap(reader, list);
    else if (tag === 3 << 3) headers.end_of_stream = reader.varint() !== 0;
    else reader.skip(tag);
  }
  reader.leave(outer);
  return headers;
}

function readHeaderMap(reader: WireReader, list: HeaderValue[]): void {
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) list.push(readHeader(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
}

function readHeader(reader: WireReader): HeaderValue {
  const header: Mutable<HeaderValue> = { key: '' };
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) header.key = reader.name();
    else if (tag === message(2)) header.value = reader.text();
    else if (tag === message(3)) header.raw_value = reader.view();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return header;
}

function readMetadata(reader: WireReader): Readonly<Record<string, Struct>> {
  const metadata: Record<string, Struct> = Object.create(null);
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) readEntry(reader, metadata);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return metadata;
}

/** One entry of a `map<string, Struct>`, into an object without a prototype, so that `__proto__` is a name like any other. */
function readEntry(reader: WireReader, into: Record<string, Struct>): void {
  let key = '';
  let value: Struct = {};
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) key = reader.name();
    else if (tag === message(2)) value = readStruct(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  into[key] = value;
}

function readStruct(reader: WireReader): Struct {
  const fields: Record<string, Value> = Object.create(null);
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) readField(reader, fields);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { fields };
}

function readField(reader: WireReader, fields: Record<string, Value>): void {
  let key = '';
  let value: Value = {};
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) key = reader.name();
    else if (tag === message(2)) value = readValue(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  fields[key] = value;
}

function readValue(reader: WireReader): Value {
  let value: Value = {};
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(3)) value = { string_value: reader.text() };
    else if (tag === ((2 << 3) | 1)) value = { number_value: reader.double() };
    else if (tag === 4 << 3) value = { bool_value: reader.varint() !== 0 };
    else if (tag === 1 << 3) value = { null_value: reader.varint() };
    else if (tag === message(5)) value = { struct_value: readStruct(reader) };
    else if (tag === message(6)) value = { list_value: { values: readList(reader) } };
    else reader.skip(tag);
  }
  reader.leave(outer);
  return value;
}

function readList(reader: WireReader): Value[] {
  const values: Value[] = [];
  const outer = reader.enter();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === message(1)) values.push(readValue(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return values;
}
