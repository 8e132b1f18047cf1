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
  else if (tag === ATTRIBUTES) request.attributes = { ...request.attributes, ...readEntry(reader) };
  else if (tag === METADATA) request.metadata_context = { filter_metadata: readMetadata(reader) };
  else if (tag === RESPONSE_TRAILERS || tag === REQUEST_TRAILERS) {
    reader.skip(tag);
    if (tag === RESPONSE_TRAILERS) request.response_trailers = {};
    else request.request_trailers = {};
  } else reader.skip(tag);
}

function readBody(reader: WireReader): HttpBody {
  const body: Mutable<HttpBody> = {};
  reader.message((inner, tag) => {
    if (tag === message(1)) body.body = inner.view();
    else if (tag === 2 << 3) body.end_of_stream = inner.varint() !== 0;
    else inner.skip(tag);
  });
  return body;
}

function readHeaders(reader: WireReader): HttpHeaders {
  const list: HeaderValue[] = [];
  const headers: Mutable<HttpHeaders> = { headers: { headers: list } };
  reader.message((inner, tag) => {
    if (tag === message(1)) inner.message((map, each) => readHeader(map, each, list));
    else if (tag === 3 << 3) headers.end_of_stream = inner.varint() !== 0;
    else inner.skip(tag);
  });
  return headers;
}

function readHeader(reader: WireReader, tag: number, list: HeaderValue[]): void {
  if (tag !== message(1)) {
    reader.skip(tag);
    return;
  }
  const header: Mutable<HeaderValue> = { key: '' };
  reader.message((inner, each) => {
    if (each === message(1)) header.key = inner.text();
    else if (each === message(2)) header.value = inner.text();
    else if (each === message(3)) header.raw_value = inner.view();
    else inner.skip(each);
  });
  list.push(header);
}

function readMetadata(reader: WireReader): Readonly<Record<string, Struct>> {
  let metadata: Readonly<Record<string, Struct>> = {};
  reader.message((inner, tag) => {
    if (tag === message(1)) metadata = { ...metadata, ...readEntry(inner) };
    else inner.skip(tag);
  });
  return metadata;
}

/** One entry of a `map<string, Struct>`. */
function readEntry(reader: WireReader): Record<string, Struct> {
  let key = '';
  let value: Struct = {};
  reader.message((inner, tag) => {
    if (tag === message(1)) key = inner.text();
    else if (tag === message(2)) value = readStruct(inner);
    else inner.skip(tag);
  });
  // A computed key, so that `__proto__` is a name like any other.
  return { [key]: value };
}

function readStruct(reader: WireReader): Struct {
  const fields: Record<string, Value> = Object.create(null);
  reader.message((inner, tag) => {
    if (tag !== message(1)) {
      inner.skip(tag);
      return;
    }
    let key = '';
    let value: Value = {};
    inner.message((entry, each) => {
      if (each === message(1)) key = entry.text();
      else if (each === message(2)) value = readValue(entry);
      else entry.skip(each);
    });
    fields[key] = value;
  });
  return { fields };
}

function readValue(reader: WireReader): Value {
  let value: Value = {};
  reader.message((inner, tag) => {
    if (tag === message(3)) value = { string_value: inner.text() };
    else if (tag === ((2 << 3) | 1)) value = { number_value: inner.double() };
    else if (tag === 4 << 3) value = { bool_value: inner.varint() !== 0 };
    else if (tag === 1 << 3) value = { null_value: inner.varint() };
    else if (tag === message(5)) value = { struct_value: readStruct(inner) };
    else if (tag === message(6)) value = { list_value: { values: readList(inner) } };
    else inner.skip(tag);
  });
  return value;
}

function readList(reader: WireReader): Value[] {
  const values: Value[] = [];
  reader.message((inner, tag) => {
    if (tag === message(1)) values.push(readValue(inner));
    else inner.skip(tag);
  });
  return values;
}
