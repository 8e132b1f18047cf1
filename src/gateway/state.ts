import type { AttemptEntry } from '../accounting/ledger/entry.js';
import type { ModelTarget, Retry } from '../config/snapshot.js';
import type { Endpoint, ErrorShape, Wire } from '../dialects/endpoint.js';
import type { GatewayError } from '../dialects/error.js';
import type { JsonObject } from '../dialects/json-value.js';
import type { RequestFacts } from '../dialects/request-facts.js';
import type { ResponseFacts } from '../dialects/response-reader.js';
import type { RememberedCall } from '../dialects/translate/translation.js';
import type { GatewayKey } from '../policy/keys/key-ring.js';
import type { HeldLimits } from '../policy/limits/limiter.js';
import type { OwnKeys } from '../providers/credentials/own-key.js';
import type { HeaderView } from './headers.js';
import type { Rules } from './parts.js';
import type { RequestBodyMode } from './reply.js';
import type { WrittenBody } from './write-body.js';

/** An attempt as it runs; closed into an AttemptEntry when its end is known. */
export interface OpenAttempt {
  readonly number: number;
  readonly target: ModelTarget;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Epoch milliseconds. */
  readonly startedTime: number;
  status: number | null;
  /** Health knows that the target answers: told at the first token, not at the end of a long stream. */
  reported: boolean;
  /** Why it will not do, as far as somebody has seen it: a look at its answer, or its headers. */
  failure: Failure | null;
  /** The dialect in which the target is asked. */
  readonly wire: Wire;
  /** How the answer is read back into the client's dialect; null: it is the client's. */
  readonly call: RememberedCall | null;
  /** Fields of the client's request that the target does not get. */
  readonly warnings: readonly string[];
  /** Which of the account's credentials it carries (-1 = none), and every text of it that nobody may see. */
  readonly credential: number;
  readonly secrets: readonly string[];
  /** The app's own key at the provider: a refusal of it is none of the operator's business. */
  readonly ownKey: boolean;
}

/** A failure and whose it was. */
export interface FailedAttempt extends Failure {
  readonly target: string;
}

/** Why an attempt failed. */
export interface Failure {
  /** `429`, `connect`, `reset`, `timeout`, `first_token`, `error_event`, `empty`, `auth`, `context_length`…; null = not known yet. */
  readonly reason: string | null;
  /** Milliseconds for which the target asked to be left alone; null when it did not say. */
  readonly cooldownMs: number | null;
}

/** What is known once the request was admitted. */
export interface Admitted {
  /** Empty where no further attempt needs it; another buffer of the same bytes after they were in a thread. */
  body: Buffer;
  /** The first attempt's bytes have left for Envoy, so nobody reads `body` but further attempts. */
  taken?: boolean;
  readonly facts: RequestFacts;
  /** The name the client asked for. */
  readonly model: string;
  readonly route: string | null;
  /** Target of attempt N is entry N−1. */
  readonly plan: readonly ModelTarget[];
  readonly retry: Retry;
  readonly allowUnpriced: boolean;
  /** Output tokens of one choice that a hold reckons with when the client sets no bound. */
  readonly outputCap: number;
  /** A field that a target cannot express is refused, not left out. */
  readonly strict: boolean;
  /** The bound that the provider is asked for because the client set none; null = none. */
  readonly askedCap: number | null;
  /** The body for the target that is written now, where a thread has written it. */
  readonly ahead?: WrittenAhead;
}

/** A body that was written in a thread, and what was found on the way. */
export interface WrittenAhead extends WrittenBody {
  /** SHA-256 in hexadecimal; null where nobody signs it. */
  readonly digest: string | null;
  /** The field that refers to what the provider has stored. */
  readonly stored: string | null;
}

/** Everything one request carries through its stages. Stages read and write it; nobody else does. */
export interface RequestState {
  readonly id: string;
  readonly rules: Rules;
  /** Of the request; none once an answer was taken. */
  headers: HeaderView;
  /** Epoch and monotonic milliseconds at the first message. */
  readonly arrivedAt: number;
  readonly startedAt: number;
  endedAt: number;
  readonly errors: ErrorShape;
  endpoint: Endpoint | null;
  /** The last part of `/v1/models/{id}`. */
  modelId: string | null;
  key: GatewayKey | null;
  /** Keys of the app's own for providers. */
  ownKeys: OwnKeys;
  user: string;
  labels: Readonly<Record<string, string>>;
  /** The model that the client asked for; '' until its body was read. */
  asked: string;
  /** Of `x-tollgate-metadata`. */
  metadata: Readonly<Record<string, string>>;
  admitted: Admitted | null;
  /** The client's body, parsed for the first target of another dialect; null before that. */
  parsed: JsonObject | null;
  /** Tokens of the input for the target that serves it, counted before a long body was let go; null = it is still here. */
  countedInput: number | null;
  /** Tokens of the input, where somebody counted them before the request left. */
  inputEstimate: number | null;
  /** What limits hold for it until it is settled. */
  held: HeldLimits | null;
  /** `held`: the hold is in the ledger and has no final entry yet. */
  hold: 'none' | 'writing' | 'held';
  /** The stream ended while the body was being decided: no answer can leave any more. */
  gone: boolean;
  /** The gate was opened: a provider may have seen the request. */
  passed: boolean;
  finished: boolean;
  /** Pieces of the answer as the provider sent them, where answers are kept; bounded. */
  kept: Buffer[] | null;
  keptBytes: number;
  attempts: readonly AttemptEntry[];
  /** Epoch milliseconds at which each of `attempts` began. */
  attemptTimes: readonly number[];
  /** One for each failed attempt in `attempts`, in their order. */
  failures: readonly FailedAttempt[];
  open: OpenAttempt | null;
  /** Set when no further attempt makes sense: the answer to the client. */
  verdict: GatewayError | null;
  /** What the client gets. */
  status: number;
  code: string | null;
  served: ModelTarget | null;
  /** `unseen`: the request's body goes from Envoy to the provider without us; so does the answer's where nobody can read it. */
  requestBody: RequestBodyMode;
  /** Some target's answer would be written anew; Envoy was told, and cuts such an answer when we are gone. */
  mayTranslate: boolean;
  /** The answer is written anew in another dialect than the provider's. */
  translates: boolean;
  /** Epoch milliseconds at which the attempt that answered began. */
  servedSince: number;
  response: Readonly<ResponseFacts> | null;
  /** Bytes of body or chunks were seen complete. */
  complete: boolean;
  /** The provider's answer came whole, but the gateway lost it: the client's error costs what the answer did. */
  lost: boolean;
  firstTokenAt: number | null;
}

/** An entry while it is being filled in. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] };
