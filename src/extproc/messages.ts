/**
 * The ext_proc messages as proto-loader gives them (`keepCase`, numbers for enums, Buffers for bytes, no defaults).
 * Only fields that Tollgate reads or writes. Source of the numbers: `proto/external_processor.proto`.
 */
export interface HeaderValue {
  readonly key: string;
  readonly value?: string;
  readonly raw_value?: Buffer;
}

export interface HttpHeaders {
  readonly headers?: { readonly headers?: readonly HeaderValue[] };
  readonly end_of_stream?: boolean;
}

export interface HttpBody {
  readonly body?: Buffer;
  readonly end_of_stream?: boolean;
}

export interface Value {
  readonly null_value?: number;
  readonly number_value?: number;
  readonly string_value?: string;
  readonly bool_value?: boolean;
  readonly struct_value?: Struct;
  readonly list_value?: { readonly values: readonly Value[] };
}

export interface Struct {
  readonly fields?: Readonly<Record<string, Value>>;
}

export interface ProcessingRequest {
  readonly request_headers?: HttpHeaders;
  readonly response_headers?: HttpHeaders;
  readonly request_body?: HttpBody;
  readonly response_body?: HttpBody;
  readonly request_trailers?: object;
  readonly response_trailers?: object;
  readonly metadata_context?: { readonly filter_metadata?: Readonly<Record<string, Struct>> };
  readonly attributes?: Readonly<Record<string, Struct>>;
}

export interface HeaderMutation {
  readonly set_headers?: readonly { readonly header: HeaderValue }[];
  readonly remove_headers?: readonly string[];
}

export interface CommonResponse {
  readonly status?: number;
  readonly header_mutation?: HeaderMutation;
  readonly body_mutation?: { readonly body?: Buffer; readonly clear_body?: boolean };
  readonly clear_route_cache?: boolean;
}

export interface ModeOverride {
  readonly request_header_mode?: number;
  readonly response_header_mode?: number;
  readonly request_body_mode?: number;
  readonly response_body_mode?: number;
  readonly response_trailer_mode?: number;
}

export interface ProcessingResponse {
  readonly request_headers?: { readonly response?: CommonResponse };
  readonly request_body?: { readonly response?: CommonResponse };
  readonly response_headers?: { readonly response?: CommonResponse };
  readonly response_body?: { readonly response?: CommonResponse };
  readonly request_trailers?: object;
  readonly response_trailers?: object;
  readonly immediate_response?: {
    readonly status: { readonly code: number };
    readonly headers?: HeaderMutation;
    readonly body?: Buffer;
    readonly details?: string;
  };
  readonly dynamic_metadata?: Struct;
  readonly mode_override?: ModeOverride;
}

export const HEADER_MODE = { SEND: 1, SKIP: 2 } as const;
export const BODY_MODE = { NONE: 0, STREAMED: 1, BUFFERED: 2 } as const;
export const CONTINUE_AND_REPLACE = 1;
