import {
  type BodyChange,
  type BodyInterest,
  CONTINUE,
  type Continue,
  type Pass,
  type Refuse,
  type Reply,
  type RequestBodyMode,
} from '../gateway/reply.js';
import {
  ATTEMPT_NAMESPACE,
  BODY_MODE,
  CLUSTER_HEADER,
  HEADER_MODE,
  METADATA_NAMESPACE,
  type Phase,
  type ProcessingResponse,
} from './messages.js';
import {
  beginMetadata,
  endMetadata,
  type Modes,
  RESPONSE,
  writeField,
  writeGroups,
  writeHeaders,
  writeModes,
  writePhase,
} from './wire/write-response.js';
import { lengthOf, WireWriter } from './wire/writer.js';

/** All answers are written by it, each in one go. */
const writer = new WireWriter();

/** Answers that never differ: written once. */
export const UNCHANGED_CHUNK = constant(() => empty(RESPONSE.response_body));
export const GO_ON = constant(() => empty(RESPONSE.response_headers));
const GO_ON_TO_BODY = constant(() => empty(RESPONSE.request_headers));
export const RESPONSE_TRAILERS = constant(() => writer.end(writer.begin(RESPONSE.response_trailers)));
export const REQUEST_TRAILERS = constant(() => writer.end(writer.begin(RESPONSE.request_trailers)));
const DROPPED_CHUNK = constant(dropped);

/** Its own memory, so that it keeps no slab. */
function constant(write: () => void): ProcessingResponse {
  writer.start();
  write();
  const message = writer.take();
  return Buffer.from(Buffer.isBuffer(message) ? message : Buffer.concat(message));
}

function empty(field: number): void {
  const phase = writer.begin(field);
  writer.end(writer.begin(1));
  writer.end(phase);
}

function dropped(): void {
  const phase = writer.begin(RESPONSE.response_body);
  const common = writer.begin(1);
  const mutation = writer.begin(3);
  writer.bool(2, true);
  writer.end(mutation);
  writer.end(common);
  writer.end(phase);
}

/** Phases that the gateway answers with a reply. */
type Replied = Extract<Phase, 'request_headers' | 'request_body' | 'response_headers'>;

export interface ReplyIdentity {
  readonly id: string;
  readonly generation: string;
  readonly requestBody: RequestBodyMode;
  /** Envoy has the route `lone`. Absent = no. */
  readonly knowsLone?: boolean;
  /**
   * The `answer` role, which was told that it may be needed, is not: said with the headers of an answer that might have been
   * translated. The `answer` filter is left out then: while it waits for its word on the headers and the `request` filter
   * for one on the body, the end of either is a clean end of an empty answer.
   */
  readonly passedOn?: boolean;
}

/** The gateway's answer to one message, for Envoy. */
export function toResponse(phase: Replied, reply: Reply, identity: ReplyIdentity): ProcessingResponse {
  if (reply.kind === 'refuse') return refusal(reply);
  if (reply === CONTINUE && phase === 'request_headers') return GO_ON_TO_BODY;
  const { set: wanted, remove, body, pass } = reply;
  const only = pass === null ? null : onlyCluster(pass, identity);
  const set = only === null ? wanted : wanted.concat([[CLUSTER_HEADER, only]]);
  writer.start();
  // The cluster of attempt 1 is chosen when the route is selected: without `clearRoute` the static group is used.
  const clearRoute = pass !== null;
  writePhase(writer, RESPONSE[phase], { set, remove, body, length: body !== null, replace: false, clearRoute });
  if (pass !== null) writePass(pass, identity, only === null ? pass.clusters : NO_GROUPS);
  else if (identity.passedOn === true) writePassedOn();
  const modes = modesOf(phase, reply, identity.requestBody);
  if (modes !== null) writeModes(writer, modes);
  return writer.take();
}

function refusal(reply: Refuse): ProcessingResponse {
  const { status, headers, body, details } = reply;
  writer.start();
  const begun = writer.begin(RESPONSE.immediate_response, body.length);
  const code = writer.begin(1);
  writer.int(1, status);
  writer.end(code);
  writeHeaders(writer, { set: headers, remove: [] }, null);
  writer.bytes(3, body);
  writer.text(5, details);
  writer.end(begun, body.length);
  return writer.take();
}

/**
 * The cluster of all attempts, for a header: a list in metadata costs Envoy 5 to 8 µs more. Null where there are several, for
 * bodies that go on unseen, whose routes say so, and for an Envoy without such a route.
 */
function onlyCluster({ clusters }: Pass, { requestBody, knowsLone }: ReplyIdentity): string | null {
  const [first] = clusters;
  if (first === undefined || requestBody === 'unseen' || knowsLone !== true) return null;
  return clusters.every((cluster) => cluster === first) ? first : null;
}

const NO_GROUPS: readonly string[] = [];

/** @param groups cluster of each attempt, where they are not all the same */
function writePass({ log, mayTranslate }: Pass, { id, generation }: ReplyIdentity, groups: readonly string[]): void {
  const metadata = beginMetadata(writer, METADATA_NAMESPACE);
  for (const name of Object.keys(log)) writeField(writer, name, log[name] ?? '');
  if (mayTranslate) writeField(writer, 'translated', '1');
  writeField(writer, 'decision', 'pass');
  writeField(writer, 'rid', id);
  writeField(writer, 'generation', generation);
  if (groups.length > 0) writeGroups(writer, groups);
  endMetadata(writer, metadata);
}

function writePassedOn(): void {
  const metadata = beginMetadata(writer, METADATA_NAMESPACE);
  writeField(writer, 'translated', '0');
  endMetadata(writer, metadata);
}

const ANSWER_MODES = { streamed: BODY_MODE.STREAMED, buffered: BODY_MODE.BUFFERED, end: BODY_MODE.NONE } as const;
const REQUEST_MODES = { whole: BODY_MODE.BUFFERED, unseen: BODY_MODE.NONE } as const;

function modesOf(phase: Replied, reply: Continue, requestBody: RequestBodyMode): Modes | null {
  if (phase === 'request_headers' && reply.requestBody !== null) {
    return { requestBody: REQUEST_MODES[reply.requestBody], responseHeaders: HEADER_MODE.SEND };
  }
  return reply.interest === null ? null : responseModes(reply.interest, requestBody);
}

/**
 * @param interest in the answer's body
 * @param requestBody a body that goes on unseen may still be on its way: its mode must not change under it
 */
function responseModes(interest: BodyInterest, requestBody: RequestBodyMode): Modes {
  return {
    requestBody: REQUEST_MODES[requestBody],
    responseHeaders: HEADER_MODE.SEND,
    responseBody: ANSWER_MODES[interest],
    // Trailers must be asked for: with SKIP, real upstream trailers hide the end of the body, and a stream without
    // interest in the body would be over at once.
    responseTrailers: HEADER_MODE.SEND,
  };
}

/** To response headers whose body this stream does not need to see: it only waits for the end of the exchange. */
export function goOnUnseen(requestBody: RequestBodyMode): ProcessingResponse {
  return UNSEEN_ANSWER[requestBody];
}

const UNSEEN_ANSWER = { whole: unseenAnswer('whole'), unseen: unseenAnswer('unseen') } as const;

function unseenAnswer(requestBody: RequestBodyMode): ProcessingResponse {
  return constant(() => {
    empty(RESPONSE.response_headers);
    writeModes(writer, responseModes('end', requestBody));
  });
}

/** The answer to one streamed chunk. */
export function toChunkResponse(change: Buffer | null): ProcessingResponse {
  if (change === null) return UNCHANGED_CHUNK;
  if (change.length === 0) return DROPPED_CHUNK;
  const { length } = change;
  writer.start();
  const phase = writer.begin(RESPONSE.response_body, length);
  const common = writer.begin(1, length);
  const mutation = writer.begin(3, length);
  writer.bytes(1, change);
  writer.end(mutation, length);
  writer.end(common, length);
  writer.end(phase, length);
  return writer.take();
}

/** The answer to a buffered body. */
export function toBodyResponse(change: BodyChange | null): ProcessingResponse {
  if (change === null) return UNCHANGED_CHUNK;
  writer.start();
  const rest = { length: true, replace: false, clearRoute: false };
  writePhase(writer, RESPONSE.response_body, { ...change, ...rest });
  return writer.take();
}

/** The answer of the `again` filter: the whole request of this attempt, written over what the last one left. */
export function toAttemptResponse({ set, remove, body }: Continue): ProcessingResponse {
  writer.start();
  const replace = body !== null;
  writePhase(writer, RESPONSE.request_headers, { set, remove, body, length: false, replace, clearRoute: false });
  if (body !== null) {
    // Envoy drops content-length with CONTINUE_AND_REPLACE; a later filter puts it back from here.
    const metadata = beginMetadata(writer, ATTEMPT_NAMESPACE);
    writeField(writer, 'content_length', String(lengthOf(body)));
    endMetadata(writer, metadata);
  }
  return writer.take();
}

/** The router judges an answer by the status that it sees. @param clusters the list of targets from now on; null: as it is */
export function toVerdict(status: number, clusters: readonly string[] | null): ProcessingResponse {
  writer.start();
  const common = { set: [[':status', String(status)]] as const, remove: [], body: null };
  writePhase(writer, RESPONSE.response_headers, { ...common, length: false, replace: false, clearRoute: false });
  if (clusters !== null) {
    const metadata = beginMetadata(writer, METADATA_NAMESPACE);
    writeGroups(writer, clusters);
    endMetadata(writer, metadata);
  }
  return writer.take();
}
