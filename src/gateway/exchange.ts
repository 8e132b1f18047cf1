import { GatewayError } from '../dialects/error.js';
import type { ChunkEditor } from '../dialects/response-reader.js';
import { hasTerminal, streamError } from '../dialects/stream-error.js';
import { createUsageChunkEditor } from '../dialects/usage-chunk-editor.js';
import { admit } from './admit.js';
import { attemptReply, upstreamRequest } from './attempt.js';
import { CUT, closeAttempt, openAttempt, reportSuccess } from './attempts.js';
import { mostUseful, onlyError } from './exhausted.js';
import type { HeaderView } from './headers.js';
import { isEventStream, Meter } from './meter.js';
import { modelList } from './model-list.js';
import type { ResponseOrigin } from './origin.js';
import type { Parts } from './parts.js';
import { Peek } from './peek.js';
import { waitBefore } from './plan.js';
import { refuse } from './refuse.js';
import { type BodyChange, CONTINUE, type Continue, type Refuse, type Reply } from './reply.js';
import { readRequest } from './request.js';
import { errorBody, failureReason, replaceLocalReply, responseHeaders } from './respond.js';
import { settle } from './settle.js';
import type { Failure, RequestState } from './state.js';

const NOTHING: readonly (Buffer | null)[] = [];
const UNCHANGED: readonly null[] = [null];

/** The life of one request, in the order in which Envoy tells it. */
export class Exchange {
  readonly #parts: Parts;
  readonly #state: RequestState;
  #meter: Meter | null = null;
  #editor: ChunkEditor | null = null;
  #errorHeaders: HeaderView | null = null;
  #isStream = false;
  /** A stream that is not compressed: the only kind into which bytes can be written. */
  #plainStream = false;
  /** The last word is being written; whoever comes first decides how the request ended. */
  #ending = false;

  lastByteAt = 0;

  constructor(parts: Parts, state: RequestState) {
    this.#parts = parts;
    this.#state = state;
  }

  get id(): string {
    return this.#state.id;
  }

  /** True after `responseHeaders` asked for the body in one piece. */
  get buffered(): boolean {
    return this.#errorHeaders !== null;
  }

  /** Milliseconds of silence that end the stream, 0 = no bound; known once the response's headers are. */
  get stallMs(): number {
    return this.#isStream ? (this.#state.served?.retry.stallMs ?? 0) : 0;
  }

  get pendingChunks(): number {
    return this.#editor?.pending ?? 0;
  }

  /** `respond` is called once, in the same turn for all but tokens that have to be verified elsewhere. */
  requestHeaders(last: boolean, respond: (reply: Reply) => void): void {
    const state = this.#state;
    readRequest(this.#parts, state, !last, (error) => {
      // The client left while somebody was asked about its key.
      if (state.finished) return;
      if (error !== undefined) respond(this.#refuse(error));
      else respond(state.endpoint?.body === 'none' ? this.#modelList() : CONTINUE);
    });
  }

  requestBody(body: Buffer, respond: (reply: Reply) => void): void {
    admit(this.#parts, this.#state, body, (result) => respond(this.#decided(result)));
  }

  /** Attempt `number` ≥ 2; null when this request has no such attempt at this cluster. */
  attempt(number: number, cluster: string): NextAttempt | null {
    const state = this.#state;
    const { admitted } = state;
    if (!admitted) return null;
    closeAttempt(this.#parts, state, 'error', this.#whyFailed());
    const target = admitted.plan[number - 1];
    // The list became shorter, or its target has said that it will not take a repeat: Envoy's retries end here.
    if (number > admitted.plan.length || (target && refusedBefore(state, target.name))) return this.#giveUp();
    if (!target || this.#parts.clusterOf(target.provider) !== cluster) return null;
    this.#parts.retryBudget.attempt(admitted.model, this.#parts.clock.now());
    openAttempt(this.#parts, state, number, target);
    const upstream = upstreamRequest(this.#parts, state, admitted, target);
    return { reply: attemptReply(upstream), waitMs: waitBefore(admitted.plan, number) };
  }

  /** A look at the running attempt's answer; null when another attempt runs by now. */
  peek(number: number): Peek | null {
    const { open } = this.#state;
    return open?.number === number ? new Peek(this.#parts, this.#state, open) : null;
  }

  responseHeaders(headers: HeaderView, origin: ResponseOrigin, last: boolean): Reply {
    const state = this.#state;
    const status = Number(headers.get(':status') ?? 0);
    if (!origin.upstream) return this.#localReply(origin, status);
    const attempt = state.open;
    state.served = attempt?.target ?? null;
    state.servedSince = attempt?.startedTime ?? 0;
    state.status = status;
    if (attempt) attempt.status = status;
    const { set, remove } = responseHeaders(state, headers);
    // A redirect is no answer either: clients must not follow a provider's.
    if (status >= 300)
      return this.#errorHeadersReply(headers, { ...CONTINUE, set, remove, interest: 'buffered' }, last);
    if (last) {
      this.#complete(false);
      return { ...CONTINUE, set, remove };
    }
    this.#openMeter(headers);
    this.lastByteAt = this.#parts.clock.monotonic();
    // Bytes may be taken out or added: a length stated by the provider would be wrong then.
    return {
      ...CONTINUE,
      set,
      remove: this.#plainStream ? [...remove, 'content-length'] : remove,
      interest: 'streamed',
    };
  }

  /** One streamed piece; the answers that can leave now, oldest first. */
  responseChunk(chunk: Buffer, last: boolean): readonly (Buffer | null)[] {
    const state = this.#state;
    this.lastByteAt = this.#parts.clock.monotonic();
    this.#meter?.push(chunk);
    if (this.#parts.content) keep(state, chunk);
    if (state.firstTokenAt === null && state.response?.content) this.#firstToken();
    const answers = this.#editor ? this.#editor.push(chunk, last) : UNCHANGED;
    if (!last) return answers;
    const ending = this.#missingEnd();
    this.#complete(ending !== null);
    return ending === null ? answers : withEnding(answers, chunk, ending);
  }

  /** Silence was too long; the transport cuts the client's stream. */
  stalled(): Refuse {
    const state = this.#state;
    state.code = 'upstream_timeout';
    if (!this.#ending && !state.finished) {
      this.#end(() => closeAttempt(this.#parts, state, 'error', { reason: 'stall', cooldownMs: null }));
    }
    return { kind: 'refuse', status: 504, headers: [], body: Buffer.alloc(0), details: 'tollgate_stall' };
  }

  releaseChunks(): readonly (Buffer | null)[] {
    return this.#editor?.release() ?? NOTHING;
  }

  /** A buffered error body. */
  responseBuffer(body: Buffer): BodyChange | null {
    const headers = this.#errorHeaders;
    if (!headers) return null;
    if (this.#parts.content) keep(this.#state, body);
    const change = errorBody(this.#parts, this.#state, headers, body);
    settle(this.#parts, this.#state);
    return change;
  }

  /** Real upstream trailers end the body: pending chunks are decided now. */
  responseTrailers(): readonly (Buffer | null)[] {
    if (this.buffered) return NOTHING;
    const answers = this.#editor && this.#editor.pending > 0 ? this.#editor.release() : NOTHING;
    this.#complete(this.#missingEnd() !== null);
    return answers;
  }

  /** The stream is over: whatever was not settled is settled from what was seen. */
  closed(): void {
    const state = this.#state;
    if (state.finished || this.#ending) return;
    if (state.served === null && state.passed) {
      // Nobody answered yet: the client left while a provider was working for it.
      state.served = state.open?.target ?? null;
      state.status = 499;
      state.code = 'client_closed';
    } else if (!state.passed && state.status === 0) {
      state.status = 499;
      state.code = 'client_closed';
      state.gone = true;
      // The ledger is writing the hold: its callback ends this request.
      if (state.hold === 'writing') return;
    }
    this.#end(() => {
      const whole = state.response?.terminal === true;
      closeAttempt(this.#parts, state, whole ? 'success' : 'aborted', whole ? null : { reason: CUT, cooldownMs: null });
    });
  }

  #modelList(): Reply {
    try {
      return modelList(this.#state);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  #decided(result: Reply | GatewayError): Reply {
    const state = this.#state;
    if (result instanceof GatewayError) return this.#refuse(result);
    if (result.kind === 'continue') {
      state.passed = true;
      this.#parts.report.overhead((this.#parts.clock.monotonic() - state.startedAt) / 1000);
    }
    return result;
  }

  #refuse(error: unknown): Refuse {
    const state = this.#state;
    if (!(error instanceof GatewayError)) this.#parts.report.fault('reading a request', error);
    const shown =
      error instanceof GatewayError
        ? error
        : new GatewayError('gateway_unavailable', 'The gateway could not handle this request.');
    state.status = shown.status;
    state.code = shown.code;
    settle(this.#parts, state);
    return refuse(shown, state.errors, state.id);
  }

  #localReply(origin: ResponseOrigin, status: number): Reply {
    const state = this.#state;
    closeAttempt(this.#parts, state, 'error', { reason: failureReason(origin), cooldownMs: null });
    const reply = replaceLocalReply(state, origin, status);
    settle(this.#parts, state);
    return reply;
  }

  #errorHeadersReply(headers: HeaderView, reply: Continue, last: boolean): Reply {
    this.#errorHeaders = headers;
    if (!last) return reply;
    const change = this.responseBuffer(Buffer.alloc(0));
    const status = this.#state.status;
    if (!change) return reply;
    return {
      kind: 'refuse',
      status,
      headers: [...reply.set, ...change.set.filter(([name]) => name !== ':status')],
      body: change.body,
      details: 'tollgate_provider_error',
    };
  }

  #openMeter(headers: HeaderView): void {
    const { admitted, endpoint } = this.#state;
    if (!endpoint || !admitted) return;
    const type = headers.get('content-type') ?? '';
    this.#isStream = isEventStream(type);
    const encoding = (headers.get('content-encoding') ?? '').replace(/^identity$/i, '');
    this.#meter = new Meter(endpoint, type, encoding);
    this.#state.response = this.#meter.facts;
    this.#plainStream = this.#isStream && encoding === '';
    if (this.#plainStream && admitted.facts.stream && !admitted.facts.includeUsage)
      this.#editor = createUsageChunkEditor(endpoint.wire);
  }

  #complete(truncated: boolean): void {
    const state = this.#state;
    if (state.finished || this.#ending) return;
    state.complete = true;
    this.#end(() => {
      const failed = state.response?.error !== null && state.response?.error !== undefined;
      if (failed || truncated) state.code = 'provider_error';
      const reason = failed ? 'error_event' : truncated ? 'incomplete' : null;
      closeAttempt(
        this.#parts,
        state,
        reason === null ? 'success' : 'error',
        reason === null ? null : { reason, cooldownMs: null },
      );
    });
  }

  #firstToken(): void {
    const state = this.#state;
    state.firstTokenAt = this.lastByteAt;
    if (state.open && !state.open.reported) reportSuccess(this.#parts, state.open, this.lastByteAt);
  }

  /** The error event for a stream that ended cleanly without its own end; null when all is well or nothing can be said. */
  #missingEnd(): Buffer | null {
    const { endpoint, response } = this.#state;
    if (!this.#plainStream || !endpoint || !response || !this.#meter || !hasTerminal(endpoint.wire)) return null;
    this.#meter.finish(() => undefined);
    if (response.terminal || response.error !== null || response.skipped === true) return null;
    return streamError(endpoint.wire, 'The provider ended the stream before it was complete.');
  }

  /** Nothing came back from the running attempt, or a look at it has said why it will not do. */
  #whyFailed(): Failure {
    const attempt = this.#state.open;
    if (!attempt) return { reason: null, cooldownMs: null };
    if (attempt.failure) return attempt.failure;
    const { retry } = attempt.target;
    const stream = this.#state.admitted?.facts.stream === true;
    const limit = stream ? (retry.firstTokenMs ?? retry.responseMs) : retry.responseMs;
    if (this.#parts.clock.monotonic() - attempt.startedAt < limit) return { reason: null, cooldownMs: null };
    // Envoy's clock of one try and the look's run out together: which one was first says nothing.
    return { reason: stream && attempt.status !== null ? 'first_token' : 'timeout', cooldownMs: null };
  }

  /** The answer in place of an attempt that makes no sense. */
  #giveUp(): NextAttempt {
    const state = this.#state;
    const error = mostUseful(state.failures) ?? onlyError(state.failures);
    state.verdict = error;
    return { refusal: refuse(error, state.errors, state.id) };
  }

  /** Lets the meter come to its end, closes the attempt, settles. */
  #end(close: () => void): void {
    this.#ending = true;
    const finish = (): void => {
      close();
      settle(this.#parts, this.#state);
    };
    if (this.#meter) this.#meter.finish(finish);
    else finish();
  }
}

/** What is kept of one answer; the rest of a longer one is not. */
const KEPT_BYTES = 1024 * 1024;

function keep(state: RequestState, chunk: Buffer): void {
  if (state.keptBytes >= KEPT_BYTES) return;
  state.kept.push(chunk);
  state.keptBytes += chunk.length;
}

/** The next attempt's request, or the answer when there is to be none. */
export type NextAttempt = { readonly reply: Continue; readonly waitMs: number } | { readonly refusal: Refuse };

/** Appends to the answer of the last chunk, which is the last answer. */
function withEnding(answers: readonly (Buffer | null)[], chunk: Buffer, ending: Buffer): readonly (Buffer | null)[] {
  const last = answers.at(-1) ?? chunk;
  return [...answers.slice(0, -1), Buffer.concat([last, ending])];
}

/** A target that is limiting or refuses our credential is not asked twice in one request. */
function refusedBefore(state: RequestState, target: string): boolean {
  return state.attempts.some(
    (attempt) => attempt.target === target && (attempt.reason === '429' || attempt.reason === 'auth'),
  );
}
