import { GatewayError } from '../dialects/error.js';
import type { ChunkEditor } from '../dialects/response-reader.js';
import { createUsageChunkEditor } from '../dialects/usage-chunk-editor.js';
import { admit } from './admit.js';
import { attemptReply, upstreamRequest } from './attempt.js';
import type { HeaderView } from './headers.js';
import { isEventStream, Meter } from './meter.js';
import { modelList } from './model-list.js';
import type { ResponseOrigin } from './origin.js';
import type { Parts } from './parts.js';
import { waitBefore } from './plan.js';
import { refuse } from './refuse.js';
import { type BodyChange, CONTINUE, type Continue, type Refuse, type Reply } from './reply.js';
import { readRequest } from './request.js';
import { errorBody, failureReason, replaceLocalReply, responseHeaders } from './respond.js';
import { closeAttempt, settle } from './settle.js';
import type { RequestState } from './state.js';

const NOTHING: readonly (Buffer | null)[] = [];
const UNCHANGED: readonly null[] = [null];

/** The life of one request, in the order in which Envoy tells it. */
export class Exchange {
  readonly #parts: Parts;
  readonly #state: RequestState;
  #meter: Meter | null = null;
  #editor: ChunkEditor | null = null;
  #errorHeaders: HeaderView | null = null;
  /** The last word is being written; whoever comes first decides how the request ended. */
  #ending = false;

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

  get pendingChunks(): number {
    return this.#editor?.pending ?? 0;
  }

  requestHeaders(last: boolean): Reply {
    const state = this.#state;
    try {
      readRequest(this.#parts, state, !last);
      if (state.endpoint?.body === 'none') return modelList(state);
      return CONTINUE;
    } catch (error) {
      return this.#refuse(error);
    }
  }

  requestBody(body: Buffer, respond: (reply: Reply) => void): void {
    admit(this.#parts, this.#state, body, (result) => respond(this.#decided(result)));
  }

  /** Attempt `number` ≥ 2; null when this request has no such attempt at this cluster. */
  attempt(number: number, cluster: string): { readonly reply: Continue; readonly waitMs: number } | null {
    const state = this.#state;
    const target = state.admitted?.plan[number - 1];
    if (!state.admitted || !target || this.#parts.clusterOf(target.provider) !== cluster) return null;
    closeAttempt(this.#parts, state, 'error', state.open?.status ? String(state.open.status) : null);
    state.open = { number, target, startedAt: this.#parts.clock.monotonic(), status: null };
    const upstream = upstreamRequest(this.#parts, state, state.admitted, target);
    return { reply: attemptReply(upstream), waitMs: waitBefore(state.admitted.plan, number) };
  }

  attemptAnswered(number: number, status: number): void {
    const { open } = this.#state;
    if (open?.number === number) open.status = status;
  }

  responseHeaders(headers: HeaderView, origin: ResponseOrigin, last: boolean): Reply {
    const state = this.#state;
    const status = Number(headers.get(':status') ?? 0);
    if (!origin.upstream) return this.#localReply(origin, status);
    const attempt = state.open;
    state.served = attempt?.target ?? null;
    state.status = status;
    if (attempt) attempt.status = status;
    const { set, remove } = responseHeaders(state, headers);
    if (status >= 400)
      return this.#errorHeadersReply(headers, { ...CONTINUE, set, remove, interest: 'buffered' }, last);
    if (last) {
      this.#complete();
      return { ...CONTINUE, set, remove };
    }
    this.#openMeter(headers);
    // Bytes may be taken out: a length stated by the provider would be wrong then.
    return { ...CONTINUE, set, remove: this.#editor ? [...remove, 'content-length'] : remove, interest: 'streamed' };
  }

  /** One streamed piece; the answers that can leave now, oldest first. */
  responseChunk(chunk: Buffer, last: boolean): readonly (Buffer | null)[] {
    const state = this.#state;
    state.responseBytes += chunk.length;
    this.#meter?.push(chunk);
    if (state.firstTokenAt === null && state.response?.content) state.firstTokenAt = this.#parts.clock.monotonic();
    const answers = this.#editor ? this.#editor.push(chunk, last) : UNCHANGED;
    if (last) this.#complete();
    return answers;
  }

  releaseChunks(): readonly (Buffer | null)[] {
    return this.#editor?.release() ?? NOTHING;
  }

  /** A buffered error body. */
  responseBuffer(body: Buffer): BodyChange | null {
    const headers = this.#errorHeaders;
    if (!headers) return null;
    const change = errorBody(this.#state, Number(headers.get(':status')), headers, body);
    this.#failed();
    return change;
  }

  /** Real upstream trailers end the body: pending chunks are decided now. */
  responseTrailers(): readonly (Buffer | null)[] {
    if (this.buffered) return NOTHING;
    const answers = this.#editor && this.#editor.pending > 0 ? this.#editor.release() : NOTHING;
    this.#complete();
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
      closeAttempt(this.#parts, state, whole ? 'success' : 'aborted', whole ? null : 'cut');
    });
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
    const reply = replaceLocalReply(state, origin, status);
    state.served = state.open?.target ?? null;
    closeAttempt(this.#parts, state, 'error', failureReason(origin));
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
    const encoding = (headers.get('content-encoding') ?? '').replace(/^identity$/i, '');
    this.#meter = new Meter(endpoint, type, encoding);
    this.#state.response = this.#meter.facts;
    const editable = isEventStream(type) && encoding === '';
    if (editable && admitted.facts.stream && !admitted.facts.includeUsage)
      this.#editor = createUsageChunkEditor(endpoint.wire);
  }

  #complete(): void {
    const state = this.#state;
    if (state.finished || this.#ending) return;
    state.complete = true;
    this.#end(() => {
      const failed = state.response?.error !== null && state.response?.error !== undefined;
      if (failed) state.code = 'provider_error';
      closeAttempt(this.#parts, state, failed ? 'error' : 'success', failed ? 'error_event' : null);
    });
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

  #failed(): void {
    const { open } = this.#state;
    closeAttempt(this.#parts, this.#state, 'error', String(open?.status ?? 'error'));
    settle(this.#parts, this.#state);
  }
}
