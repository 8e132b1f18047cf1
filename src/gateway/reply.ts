/** What the gateway wants done, without a word about protobuf: `extproc/` turns it into messages. */

export type HeaderPair = readonly [name: string, value: string];

/** A body in one piece or in several, which follow each other; pieces that nobody has changed are views of the client's. */
export type BodyBytes = Buffer | readonly Buffer[];

/** How much of the answer's body the gateway wants to see; `end`: nothing but that it is over. */
export type BodyInterest = 'streamed' | 'buffered' | 'end';

/** Whether the request's body comes to the gateway whole, or goes to the provider unseen. */
export type RequestBodyMode = 'whole' | 'unseen';

/** Where the request may go: cluster of attempt N is entry N−1. */
export interface Pass {
  readonly clusters: readonly string[];
  /** Facts for Envoy's access log; values are strings or booleans. */
  readonly log: Readonly<Record<string, string | boolean>>;
  /** The answer may have to be written in another dialect: without us it must be cut. */
  readonly mayTranslate: boolean;
}

export interface Continue {
  readonly kind: 'continue';
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
  /** Replaces the body; null leaves it. Its content-length is added by the transport. */
  readonly body: BodyBytes | null;
  /** Set only in the last answer of the request phase: opens the gate. */
  readonly pass: Pass | null;
  /** Set in the answer to response headers. */
  readonly interest: BodyInterest | null;
  /** Set in the answer to request headers where Envoy's route may expect the other. */
  readonly requestBody: RequestBodyMode | null;
}

/** The gateway answers the client itself. */
export interface Refuse {
  readonly kind: 'refuse';
  readonly status: number;
  readonly headers: readonly HeaderPair[];
  readonly body: Buffer;
  /** Goes to Envoy's access log as response code details: `tollgate_invalid_api_key`. */
  readonly details: string;
}

export type Reply = Continue | Refuse;

/** Answer to one piece of response body: null = unchanged. */
export interface BodyChange {
  readonly body: Buffer;
  /** Only for buffered bodies, where headers are still held. */
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
}

export const CONTINUE: Continue = {
  kind: 'continue',
  set: [],
  remove: [],
  body: null,
  pass: null,
  interest: null,
  requestBody: null,
};
