import { GatewayError } from '../dialects/error.js';
import { admit } from './admit.js';
import type { AnswerPipe } from './answer-pipe.js';
import { CUT, closeAttempt, noteRefusal, reportSuccess } from './attempts.js';
import { dropBody, freeWhenTaken } from './drop-body.js';
import type { HeaderView } from './headers.js';
import { keepLittle } from './keep-little.js';
import { translateAnywhere } from './long-answer.js';
import { modelList } from './model-list.js';
import { type NextAttempt, nextAttempt } from './next-attempt.js';
import { openAnswer } from './open-answer.js';
import type { ResponseOrigin } from './origin.js';
import type { Parts } from './parts.js';
import { Peek } from './peek.js';
import { refuse } from './refuse.js';
import { type BodyChange, CONTINUE, type Continue, type Refuse, type Reply, type RequestBodyMode } from './reply.js';
import { readRequest } from './request.js';
import { errorBody, failureReason, replaceLocalReply, responseHeaders } from './respond.js';
import { rewrites } from './rewriting.js';
import { settle } from './settle.js';
import type { OpenAttempt, RequestState } from './state.js';
import { passesRaw } from './unseen.js';
import { removedFromAnswer } from './upgrade.js';

const NOTHING: readonly (Buffer | null)[] = [];
const UNCHANGED: readonly null[] = [null];
const NO_BODY = Buffer.alloc(0);

/** The life of one request, in the order in which Envoy tells it. */
export class Exchange {
  readonly #parts: Parts;
  readonly #state: RequestState;
  #pipe: AnswerPipe | null = null;
  /** Headers of an answer whose whole body is wanted: an error, or JSON in another dialect. */
  #wholeHeaders: HeaderView | null = null;
  #isStream = false;
  /** The last word is being written; whoever comes first decides how the request ended. */
  #ending = false;
  /** A whole answer is being read in a thread. */
  #reading = false;

  lastByteAt = 0;

  constructor(parts: Parts, state: RequestState) {
    this.#parts = parts;
    this.#state = state;
  }

  get id(): string {
    return this.#state.id;
  }

  get requestBodyMode(): RequestBodyMode {
    return this.#state.requestBody;
  }

  /** True after `responseHeaders` asked for the body in one piece. */
  get buffered(): boolean {
    return this.#wholeHeaders !== null;
  }

  /** The answer is written anew: cut off from us, the rest of it would mean nothing to the client. */
  get translated(): boolean {
    return this.#state.translates;
  }

  /** One of the targets may answer in another dialect, so the `answer` role was asked to stand by. */
  get mayTranslate(): boolean {
    return this.#state.mayTranslate;
  }

  /** The answer with these headers, which are not passed on yet, has to be translated: on a stream that fails closed. */
  rewrites(headers: HeaderView): boolean {
    const { open, mayTranslate } = this.#state;
    return open !== null && mayTranslate && rewrites(this.#state, open, headers);
  }

  /** Milliseconds of silence that end the stream, 0 = no bound; known once the response's headers are. */
  get stallMs(): number {
    return this.#isStream ? (this.#state.served?.retry.stallMs ?? 0) : 0;
  }

  get pendingChunks(): number {
    return this.#pipe?.pending ?? 0;
  }

  /** `respond` is called once, in the same turn for all but tokens that have to be verified elsewhere. */
  requestHeaders(last: boolean, respond: (reply: Reply) => void): void {
    const state = this.#state;
    readRequest(this.#parts, state, !last, (error) => {
      // The client left while somebody was asked about its key.
      if (state.finished) return;
      if (error !== undefined) respond(this.#refuse(error));
      else if (state.endpoint?.body === 'none') respond(this.#modelList());
      // Nothing follows: the last answer of the request phase is this one.
      else if (last || state.requestBody === 'unseen')
        this.requestBody(NO_BODY, (reply) => respond(this.#early(reply)));
      else respond(state.endpoint?.direct === undefined ? CONTINUE : { ...CONTINUE, requestBody: 'whole' });
    });
  }

  requestBody(body: Buffer, respond: (reply: Reply) => void): void {
    admit(this.#parts, this.#state, body, (result) => respond(this.#decided(result)));
  }

  /** What to call when nobody reads the bytes of this reply any more; undefined: nothing waits for it. */
  whenTaken(reply: Reply): (() => void) | undefined {
    if (reply.kind === 'refuse' || reply.body === null) return undefined;
    return freeWhenTaken(this.#parts, this.#state, reply.body);
  }

  /** See `nextAttempt`. */
  attempt(number: number, cluster: string, respond: (next: NextAttempt | null) => void): void {
    nextAttempt(this.#parts, this.#state, { number, cluster }, respond);
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
    // The router takes this answer: nobody asks for another attempt.
    dropBody(this.#parts, state);
    // Whoever looked at the answer first has told it already.
    if (attempt && attempt.failure === null) noteRefusal(this.#parts, state, attempt, null);
    const { set, remove: unwanted } = responseHeaders(state, headers);
    const remove = removedFromAnswer(status, unwanted);
    if (attempt?.wire === 'raw' && passesRaw(status)) return this.#rawAnswer(attempt, { ...CONTINUE, set, remove });
    // A redirect is no answer either: clients must not follow a provider's.
    if (status >= 300)
      return this.#errorHeadersReply(headers, { ...CONTINUE, set, remove, interest: 'buffered' }, last);
    // Nothing is no answer in any dialect.
    if (last && attempt && attempt.call !== null)
      return this.#errorHeadersReply(headers, { ...CONTINUE, set, remove }, last);
    if (last || !attempt) {
      this.#complete(false);
      return { ...CONTINUE, set, remove };
    }
    const opened = openAnswer(state, attempt, headers);
    this.#pipe = opened.pipe;
    this.#isStream = opened.isStream;
    if (opened.isStream) keepLittle(state);
    if (opened.pipe) state.response = opened.pipe.facts;
    else this.#wholeHeaders = headers;
    this.lastByteAt = this.#parts.clock.monotonic();
    return {
      ...CONTINUE,
      set: opened.set.length === 0 ? set : set.concat(opened.set),
      remove: opened.remove.length === 0 ? remove : remove.concat(opened.remove),
      interest: opened.interest,
    };
  }

  /** One streamed piece; the answers that can leave now, oldest first. */
  responseChunk(chunk: Buffer, last: boolean): readonly (Buffer | null)[] {
    const state = this.#state;
    this.lastByteAt = this.#parts.clock.monotonic();
    if (this.#parts.content) keep(state, chunk);
    const answers = this.#pipe?.push(chunk, last) ?? UNCHANGED;
    if (state.firstTokenAt === null && state.response?.content) this.#firstToken();
    if (last) this.#complete(this.#pipe?.truncated === true);
    return answers;
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
    return this.#pipe?.release() ?? NOTHING;
  }

  /**
   * A whole body: an error, or JSON in another dialect. `respond` is called once, in the same turn for all but long bodies;
   * null = unchanged.
   */
  responseBuffer(body: Buffer, respond: (change: BodyChange | null) => void): void {
    const headers = this.#wholeHeaders;
    if (!headers) {
      respond(null);
      return;
    }
    const state = this.#state;
    if (this.#parts.content) keep(state, body);
    if (state.status >= 300) {
      const change = errorBody(this.#parts, state, headers, body);
      settle(this.#parts, state);
      respond(change);
      return;
    }
    this.#reading = true;
    translateAnywhere(this.#parts, state, { headers, body }, ({ change, error }) => {
      this.#reading = false;
      if (error) state.code = error.code;
      if (error) state.status = error.status;
      this.#complete(error !== null && !state.lost);
      respond(change);
    });
  }

  /** Real upstream trailers end the body: pending chunks are decided now. */
  responseTrailers(): readonly (Buffer | null)[] {
    if (this.buffered) return NOTHING;
    const answers = this.#pipe?.trailers() ?? NOTHING;
    this.#complete(this.#pipe?.truncated === true);
    return answers;
  }

  /** The stream is over: whatever was not settled is settled from what was seen. */
  closed(): void {
    const state = this.#state;
    // A whole answer that is still being read ends the request by itself.
    if (state.finished || this.#ending || this.#reading) return;
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

  /** The decision was made from the headers alone. */
  #early(reply: Reply): Reply {
    const { requestBody } = this.#state;
    return reply.kind === 'continue' && requestBody === 'unseen' ? { ...reply, requestBody } : reply;
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
    this.#wholeHeaders = headers;
    if (!last) return reply;
    let change: BodyChange | null = null;
    // Nothing takes no time.
    this.responseBuffer(NO_BODY, (changed) => {
      change = changed;
    });
    return change === null ? reply : this.#errorReply(reply, change);
  }

  #errorReply(reply: Continue, change: BodyChange): Refuse {
    return {
      kind: 'refuse',
      status: this.#state.status,
      headers: [...reply.set, ...change.set.filter(([name]) => name !== ':status')],
      body: change.body,
      details: 'tollgate_provider_error',
    };
  }

  /** Nothing in it could be read: it flows without us, and the end of the exchange is all we hear of it. */
  #rawAnswer(attempt: OpenAttempt, reply: Continue): Reply {
    if (attempt.status !== null && attempt.status >= 400) this.#state.code = 'provider_error';
    else reportSuccess(this.#parts, attempt, this.#parts.clock.monotonic());
    return { ...reply, interest: 'end' };
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

  /** Lets the meter come to its end, closes the attempt, settles. */
  #end(close: () => void): void {
    this.#ending = true;
    const finish = (): void => {
      close();
      settle(this.#parts, this.#state);
    };
    if (this.#pipe) this.#pipe.finish(finish);
    else finish();
  }
}

/** What is kept of one answer; the rest of a longer one is not. */
const KEPT_BYTES = 1024 * 1024;

function keep(state: RequestState, chunk: Buffer): void {
  if (state.keptBytes >= KEPT_BYTES) return;
  // A long answer goes through a thread: what is kept must not go with it.
  const piece = chunk.length > KEPT_BYTES ? Buffer.from(chunk.subarray(0, KEPT_BYTES)) : chunk;
  if (state.kept === null) state.kept = [piece];
  else state.kept.push(piece);
  state.keptBytes += chunk.length;
}
