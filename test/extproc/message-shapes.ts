import type { ProcessingResponse } from '../../src/extproc/messages.js';
import { referenceService } from '../../src/extproc/service-definition.js';
import { decodeRequest, type ProcessingRequest } from '../../src/extproc/wire/decode-request.js';
import { encodeResponse } from '../../src/extproc/wire/encode-response.js';

/*
 * The messages of ext_proc as protobufjs has them (names as in the proto, numbers for enums, no defaults). Tests write and
 * read these, so that what goes in and out of our code has been through real bytes.
 */

export interface HeaderShape {
  readonly key: string;
  readonly value?: string;
  readonly raw_value?: Buffer;
}

export interface HeadersShape {
  readonly headers?: { readonly headers?: readonly HeaderShape[] };
  readonly end_of_stream?: boolean;
}

export interface BodyShape {
  readonly body?: Buffer;
  readonly end_of_stream?: boolean;
}

export interface ValueShape {
  readonly null_value?: number;
  readonly number_value?: number;
  readonly string_value?: string;
  readonly bool_value?: boolean;
  readonly struct_value?: StructShape;
  readonly list_value?: { readonly values?: readonly ValueShape[] };
}

export interface StructShape {
  readonly fields?: Readonly<Record<string, ValueShape>>;
}

export interface RequestShape {
  readonly request_headers?: HeadersShape;
  readonly response_headers?: HeadersShape;
  readonly request_body?: BodyShape;
  readonly response_body?: BodyShape;
  readonly request_trailers?: object;
  readonly response_trailers?: object;
  readonly metadata_context?: { readonly filter_metadata?: Readonly<Record<string, StructShape>> };
  readonly attributes?: Readonly<Record<string, StructShape>>;
}

export interface MutationShape {
  readonly set_headers?: readonly { readonly header: HeaderShape }[];
  readonly remove_headers?: readonly string[];
}

export interface CommonShape {
  readonly status?: number;
  readonly header_mutation?: MutationShape;
  readonly body_mutation?: { readonly body?: Buffer; readonly clear_body?: boolean };
  readonly clear_route_cache?: boolean;
}

interface PhaseShape {
  readonly response?: CommonShape;
}

export interface ResponseShape {
  readonly request_headers?: PhaseShape;
  readonly request_body?: PhaseShape;
  readonly response_headers?: PhaseShape;
  readonly response_body?: PhaseShape;
  readonly request_trailers?: object;
  readonly response_trailers?: object;
  readonly immediate_response?: {
    readonly status: { readonly code: number };
    readonly headers?: MutationShape;
    readonly body?: Buffer;
    readonly details?: string;
  };
  readonly dynamic_metadata?: StructShape;
  readonly mode_override?: {
    readonly request_header_mode?: number;
    readonly response_header_mode?: number;
    readonly request_body_mode?: number;
    readonly response_body_mode?: number;
    readonly response_trailer_mode?: number;
  };
}

export const reference = processOf();

function processOf() {
  const { Process } = referenceService();
  if (!Process) throw new Error('no Process');
  return Process;
}

/** What our code gets for these bytes of Envoy. */
export function requestOf(shape: RequestShape): ProcessingRequest {
  return decodeRequest(reference.requestSerialize(shape));
}

/** What Envoy reads from our bytes. */
export function shapeOf(response: ProcessingResponse): ResponseShape {
  return reference.responseDeserialize(encodeResponse(response)) as ResponseShape;
}

/** JSON-like data that dynamic metadata can carry. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export function toStruct(plain: { readonly [key: string]: Plain }): StructShape {
  return { fields: Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, toValue(value)])) };
}

function toValue(plain: Plain): ValueShape {
  if (plain === null) return { null_value: 0 };
  if (typeof plain === 'string') return { string_value: plain };
  if (typeof plain === 'number') return { number_value: plain };
  if (typeof plain === 'boolean') return { bool_value: plain };
  if (Array.isArray(plain)) return { list_value: { values: plain.map(toValue) } };
  return { struct_value: toStruct(plain as { readonly [key: string]: Plain }) };
}

/** The other way round. */
export function plainOf(value: ValueShape): unknown {
  if (value.list_value) return (value.list_value.values ?? []).map(plainOf);
  if (value.struct_value) {
    const fields = Object.entries(value.struct_value.fields ?? {});
    return Object.fromEntries(fields.map(([key, entry]) => [key, plainOf(entry)]));
  }
  return value.string_value ?? value.number_value ?? value.bool_value ?? null;
}
