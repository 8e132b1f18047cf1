/** The two messages of ext_proc as the rest of this room sees them. Their fields: `proto/external_processor.proto`. */

/** What Envoy tells: one of these in each message. */
export type Phase =
  | 'request_headers'
  | 'request_body'
  | 'request_trailers'
  | 'response_headers'
  | 'response_body'
  | 'response_trailers';

/**
 * A ProcessingResponse as it leaves: its bytes in the frame of gRPC. Several pieces where large values, which nobody copies,
 * lie between them. Made by `replies.ts`, never looked into.
 */
export type ProcessingResponse = Buffer | readonly Buffer[];

/** Namespace of the metadata that opens the gate and lists the targets; the bootstrap names it too. */
export const METADATA_NAMESPACE = 'tollgate';
/** Namespace in which an attempt states its content-length. */
export const ATTEMPT_NAMESPACE = 'tollgate_attempt';
/** Request header that names the one cluster of a request, by which Envoy's route `lone` takes it; the bootstrap names it too. */
export const CLUSTER_HEADER = 'x-tollgate-cluster';
/** What an Envoy that has that route says of itself in gRPC metadata, `routes`; a bootstrap from before it says nothing. */
export const LONE_ROUTE = 'lone';
/** Envoy keys attributes by the name of the filter type. */
export const ATTRIBUTES = 'envoy.filters.http.ext_proc';

export const HEADER_MODE = { SEND: 1, SKIP: 2 } as const;
export const BODY_MODE = { NONE: 0, STREAMED: 1, BUFFERED: 2 } as const;
export const CONTINUE_AND_REPLACE = 1;
