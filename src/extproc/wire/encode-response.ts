import type { CommonResponse, HeaderMutation, ModeOverride, ProcessingResponse, Struct, Value } from '../messages.js';
import { APART_ABOVE, WireWriter } from './writer.js';

/*
 * ProcessingResponse by hand, see decode-request.ts. Answers that never differ are encoded once.
 */

/** Room for headers and metadata, beside a body. */
const SMALL = 512;

/** gRPC's frame around a message: one byte "not compressed", four bytes of length. */
export const FRAME_PREFIX = 5;

const CONSTANT = new WeakMap<ProcessingResponse, Buffer>();

/** Marks an answer as shared: its bytes are made here and used for ever. */
export function constantResponse(response: ProcessingResponse): ProcessingResponse {
  const pieces: Buffer[] = [];
  encode(response, pieces);
  CONSTANT.set(response, Buffer.concat(pieces));
  return response;
}

export function encodeResponse(response: ProcessingResponse): Buffer {
  const pieces: Buffer[] = [];
  encodeFramed(response, pieces);
  const [only] = pieces;
  return (only && pieces.length === 1 ? only : Buffer.concat(pieces)).subarray(FRAME_PREFIX);
}

/** Adds the message in its gRPC frame to the pieces; a large body is a piece of its own, never copied. */
export function encodeFramed(response: ProcessingResponse, pieces: Buffer[]): void {
  const constant = CONSTANT.get(response);
  if (constant) pieces.push(constant);
  else encode(response, pieces);
}

function encode(response: ProcessingResponse, pieces: Buffer[]): void {
  const body = bodyOf(response)?.length ?? 0;
  const writer = new WireWriter(SMALL + (body > APART_ABOVE ? 0 : body), FRAME_PREFIX);
  const { request_headers, response_headers, request_body, response_body, immediate_response: immediate } = response;
  if (request_headers) phase(writer, 1, request_headers.response);
  if (response_headers) phase(writer, 2, response_headers.response);
  if (request_body) phase(writer, 3, request_body.response);
  if (response_body) phase(writer, 4, response_body.response);
  if (response.request_trailers) writer.end(writer.begin(5));
  if (response.response_trailers) writer.end(writer.begin(6));
  if (immediate) writeImmediate(writer, immediate);
  if (response.dynamic_metadata) writeStruct(writer, 8, response.dynamic_metadata);
  if (response.mode_override) writeModes(writer, response.mode_override);
  const first = pieces.length;
  writer.finish(pieces);
  const head = pieces[first];
  head?.writeUInt8(0, 0);
  head?.writeUInt32BE(writer.length - FRAME_PREFIX, 1);
}

function bodyOf(response: ProcessingResponse): Buffer | undefined {
  const { request_headers, request_body, response_body, immediate_response } = response;
  const common = (request_headers ?? request_body ?? response_body)?.response;
  return common?.body_mutation?.body ?? immediate_response?.body;
}

/** HeadersResponse and BodyResponse have the same shape. */
function phase(writer: WireWriter, field: number, common: CommonResponse | undefined): void {
  const expected = common?.body_mutation?.body?.length ?? 0;
  const begun = writer.begin(field, expected);
  if (common) {
    const inner = writer.begin(1, expected);
    writeCommon(writer, common);
    writer.end(inner, expected);
  }
  writer.end(begun, expected);
}

function writeCommon(writer: WireWriter, common: CommonResponse): void {
  const { status, header_mutation: headers, body_mutation: body, clear_route_cache: clear } = common;
  if (status) writer.int(1, status);
  if (headers) writeHeaders(writer, headers);
  if (body) {
    const bytes = body.body;
    const begun = writer.begin(3, bytes?.length);
    if (bytes) writer.bytes(1, bytes);
    else if (body.clear_body !== undefined) writer.bool(2, body.clear_body);
    writer.end(begun, bytes?.length);
  }
  if (clear) writer.bool(5, true);
}

/** Field 2 of CommonResponse and of ImmediateResponse. */
function writeHeaders(writer: WireWriter, mutation: HeaderMutation): void {
  const begun = writer.begin(2);
  for (const { header } of mutation.set_headers ?? []) {
    const option = writer.begin(1);
    const inner = writer.begin(1);
    writer.text(1, header.key);
    if (header.value !== undefined) writer.text(2, header.value);
    if (header.raw_value) writer.bytes(3, header.raw_value);
    writer.end(inner);
    writer.end(option);
  }
  for (const name of mutation.remove_headers ?? []) writer.text(2, name);
  writer.end(begun);
}

function writeImmediate(writer: WireWriter, immediate: NonNullable<ProcessingResponse['immediate_response']>): void {
  const { headers, body, details, status } = immediate;
  const begun = writer.begin(7, body?.length);
  const code = writer.begin(1);
  writer.int(1, status.code);
  writer.end(code);
  if (headers) writeHeaders(writer, headers);
  if (body) writer.bytes(3, body);
  if (details !== undefined) writer.text(5, details);
  writer.end(begun, body?.length);
}

function writeStruct(writer: WireWriter, field: number, { fields = {} }: Struct): void {
  const begun = writer.begin(field);
  for (const key of Object.keys(fields)) {
    const entry = writer.begin(1);
    writer.text(1, key);
    const inner = writer.begin(2);
    writeValue(writer, fields[key] ?? {});
    writer.end(inner);
    writer.end(entry);
  }
  writer.end(begun);
}

function writeValue(writer: WireWriter, value: Value): void {
  if (value.string_value !== undefined) writer.text(3, value.string_value);
  else if (value.list_value) {
    const begun = writer.begin(6);
    for (const each of value.list_value.values) {
      const inner = writer.begin(1);
      writeValue(writer, each);
      writer.end(inner);
    }
    writer.end(begun);
  } else if (value.struct_value) writeStruct(writer, 5, value.struct_value);
  else if (value.number_value !== undefined) writer.double(2, value.number_value);
  else if (value.bool_value !== undefined) writer.bool(4, value.bool_value);
  else if (value.null_value !== undefined) writer.int(1, value.null_value);
}

function writeModes(writer: WireWriter, modes: ModeOverride): void {
  const begun = writer.begin(9);
  if (modes.request_header_mode) writer.int(1, modes.request_header_mode);
  if (modes.response_header_mode) writer.int(2, modes.response_header_mode);
  if (modes.request_body_mode) writer.int(3, modes.request_body_mode);
  if (modes.response_body_mode) writer.int(4, modes.response_body_mode);
  if (modes.response_trailer_mode) writer.int(6, modes.response_trailer_mode);
  writer.end(begun);
}
