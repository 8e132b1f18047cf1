import type {
  BodyChange,
  BodyInterest,
  Continue,
  HeaderPair,
  Refuse,
  Reply,
  RequestBodyMode,
} from '../gateway/reply.js';
import {
  BODY_MODE,
  CONTINUE_AND_REPLACE,
  HEADER_MODE,
  type HeaderMutation,
  type ModeOverride,
  type ProcessingResponse,
  type Struct,
} from './messages.js';
import { type Plain, toStruct } from './struct.js';
import { constantResponse } from './wire/encode-response.js';

/** Namespace of the metadata that opens the gate and lists the targets; the bootstrap names it too. */
export const METADATA_NAMESPACE = 'tollgate';
/** Namespace in which an attempt states its content-length. */
export const ATTEMPT_NAMESPACE = 'tollgate_attempt';

/** Answers that never differ: encoded once. */
export const UNCHANGED_CHUNK = constantResponse({ response_body: { response: {} } });
export const GO_ON = constantResponse({ response_headers: { response: {} } });
export const RESPONSE_TRAILERS = constantResponse({ response_trailers: {} });
export const REQUEST_TRAILERS = constantResponse({ request_trailers: {} });
const DROPPED_CHUNK = constantResponse({ response_body: { response: { body_mutation: { clear_body: true } } } });

type Phase = 'request_headers' | 'request_body' | 'response_headers';

function mutation(set: readonly HeaderPair[], remove: readonly string[]): HeaderMutation {
  return {
    // `value` is ignored by Envoy 1.40 (the header would become empty): always raw_value.
    set_headers: set.map(([key, value]) => ({ header: { key, raw_value: Buffer.from(value, 'latin1') } })),
    remove_headers: remove,
  };
}

function metadataOf(reply: Continue, id: string, generation: string): Plain | null {
  if (!reply.pass) return null;
  const { log, clusters, mayTranslate } = reply.pass;
  const translated = mayTranslate ? { translated: '1' } : {};
  return { ...log, ...translated, decision: 'pass', rid: id, generation, priority_groups: groups(clusters) };
}

/** Attempt N goes to the N-th group. */
function groups(clusters: readonly string[]): Plain {
  return clusters.map((name) => ({ name, clusters: [{ cluster_name: name, weight: 1 }] }));
}

/** Metadata that replaces the list of targets while a request is under way. */
export function priorityGroups(clusters: readonly string[]): Struct {
  return toStruct({ [METADATA_NAMESPACE]: { priority_groups: groups(clusters) } });
}

function refusal(reply: Refuse): ProcessingResponse {
  return {
    immediate_response: {
      status: { code: reply.status },
      headers: mutation(reply.headers, []),
      body: reply.body,
      details: reply.details,
    },
  };
}

const ANSWER_MODES = { streamed: BODY_MODE.STREAMED, buffered: BODY_MODE.BUFFERED, end: BODY_MODE.NONE } as const;
const REQUEST_MODES = { whole: BODY_MODE.BUFFERED, unseen: BODY_MODE.NONE } as const;

/**
 * @param interest in the answer's body
 * @param requestBody a body that goes on unseen may still be on its way: its mode must not change under it
 */
export function responseModes(interest: BodyInterest, requestBody: RequestBodyMode): ModeOverride {
  return {
    request_body_mode: REQUEST_MODES[requestBody],
    response_header_mode: HEADER_MODE.SEND,
    response_body_mode: ANSWER_MODES[interest],
    // Trailers must be asked for: with SKIP, real upstream trailers hide the end of the body, and a stream without
    // interest in the body would be over at once.
    response_trailer_mode: HEADER_MODE.SEND,
  };
}

function modeOverride(phase: Phase, reply: Continue, requestBody: RequestBodyMode): ModeOverride | undefined {
  if (phase === 'request_headers' && reply.requestBody !== null) {
    return { request_body_mode: REQUEST_MODES[reply.requestBody], response_header_mode: HEADER_MODE.SEND };
  }
  return reply.interest === null ? undefined : responseModes(reply.interest, requestBody);
}

export interface ReplyIdentity {
  readonly id: string;
  readonly generation: string;
  readonly requestBody: RequestBodyMode;
  /** The `answer` role, which was told that it may be needed, is not. */
  readonly passedOn?: boolean;
}

/**
 * Said with the headers of an answer that might have been translated and is not. The `answer` filter is left out then: while
 * it waits for its word on the headers and the `request` filter for one on the body, the end of either is a clean end of an
 * empty answer.
 */
const PASSED_ON: Struct = toStruct({ [METADATA_NAMESPACE]: { translated: '0' } });

/** Turns the gateway's answer to one message into the protobuf message for it. */
export function toResponse(phase: Phase, reply: Reply, identity: ReplyIdentity): ProcessingResponse {
  if (reply.kind === 'refuse') return refusal(reply);
  const set = reply.body === null ? reply.set : [...reply.set, contentLength(reply.body)];
  const metadata = metadataOf(reply, identity.id, identity.generation);
  const override = modeOverride(phase, reply, identity.requestBody);
  return {
    [phase]: {
      response: {
        header_mutation: mutation(set, reply.remove),
        ...(reply.body === null ? {} : { body_mutation: { body: reply.body } }),
        // The cluster of attempt 1 is chosen when the route is selected: without this the static group is used.
        clear_route_cache: reply.pass !== null,
      },
    },
    ...(metadata === null ? {} : { dynamic_metadata: toStruct({ [METADATA_NAMESPACE]: metadata }) }),
    ...(identity.passedOn === true ? { dynamic_metadata: PASSED_ON } : {}),
    ...(override === undefined ? {} : { mode_override: override }),
  };
}

/** To response headers whose body this stream does not need to see: it only waits for the end of the exchange. */
export function goOnUnseen(requestBody: RequestBodyMode): ProcessingResponse {
  return { response_headers: { response: {} }, mode_override: responseModes('end', requestBody) };
}

/** The answer to one streamed chunk. */
export function toChunkResponse(change: Buffer | null): ProcessingResponse {
  if (change === null) return UNCHANGED_CHUNK;
  if (change.length === 0) return DROPPED_CHUNK;
  return { response_body: { response: { body_mutation: { body: change } } } };
}

/** The answer to a buffered body. */
export function toBodyResponse(change: BodyChange | null): ProcessingResponse {
  if (change === null) return UNCHANGED_CHUNK;
  return {
    response_body: {
      response: {
        header_mutation: mutation([...change.set, contentLength(change.body)], change.remove),
        body_mutation: { body: change.body },
      },
    },
  };
}

/** The answer of the `again` filter: the whole request of this attempt, written over what the last one left. */
export function toAttemptResponse(reply: Continue): ProcessingResponse {
  const length = reply.body === null ? null : String(reply.body.length);
  return {
    request_headers: {
      response: {
        ...(reply.body === null ? {} : { status: CONTINUE_AND_REPLACE, body_mutation: { body: reply.body } }),
        header_mutation: mutation(reply.set, reply.remove),
      },
    },
    // Envoy drops content-length with CONTINUE_AND_REPLACE; a later filter puts it back from here.
    ...(length === null ? {} : { dynamic_metadata: toStruct({ [ATTEMPT_NAMESPACE]: { content_length: length } }) }),
  };
}

function contentLength(body: Buffer): HeaderPair {
  return ['content-length', String(body.length)];
}
