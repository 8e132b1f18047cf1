import { framingOf } from '../dialects/event-decoder.js';
import { readProviderError } from '../dialects/provider-error.js';
import { createResponseReader } from '../dialects/readers.js';
import type { ResponseReader } from '../dialects/response-reader.js';
import { readCooldown } from '../providers/cooldown.js';
import { noteRefusal } from './attempts.js';
import type { HeaderView } from './headers.js';
import type { Parts } from './parts.js';
import { largerWindows } from './plan.js';
import type { OpenAttempt, RequestState } from './state.js';

/** What to do with an answer whose first bytes were seen. */
export type Verdict =
  /** Not sure yet: keep the headers back. */
  | { readonly kind: 'hold' }
  /** It may go to the client (or to Envoy's own retry by status). */
  | { readonly kind: 'release' }
  /** The next target; `clusters` replaces the list when some targets make no sense any more. */
  | { readonly kind: 'next'; readonly clusters: readonly string[] | null };

const HOLD: Verdict = { kind: 'hold' };
const RELEASE: Verdict = { kind: 'release' };
const NEXT: Verdict = { kind: 'next', clusters: null };

/** An error body longer than this is cut before it is classified. */
const MAX_ERROR_BYTES = 64 * 1024;
const ERROR_OBJECT = /^\s*\[?\s*\{\s*(?:"type"\s*:\s*"error"|"error"\s*:\s*[{"])/;

/** Statuses whose body decides whether another target could do better. */
const READ_BODY: ReadonlySet<number> = new Set([400, 403, 404, 413, 422]);

/** A look at one attempt's answer before the client sees any of it. Notes why the attempt failed. */
export class Peek {
  readonly #parts: Parts;
  readonly #state: RequestState;
  readonly #attempt: OpenAttempt;
  /** A target is left after this attempt. */
  readonly #fallback: boolean;
  #headers: HeaderView | null = null;
  #reader: ResponseReader | null = null;
  #errorBody: Buffer[] | null = null;
  #errorBytes = 0;
  #json = false;

  constructor(parts: Parts, state: RequestState, attempt: OpenAttempt) {
    this.#parts = parts;
    this.#state = state;
    this.#attempt = attempt;
    this.#fallback = attempt.number < (state.admitted?.plan.length ?? 0);
  }

  /** Milliseconds from now until silence is a failure; null where no clock runs. */
  get deadlineMs(): number | null {
    const limit = this.#attempt.target.retry.firstTokenMs;
    if (this.#reader === null || limit === null) return null;
    return Math.max(1, limit - (this.#parts.clock.monotonic() - this.#attempt.startedAt));
  }

  headers(headers: HeaderView, last: boolean): Verdict {
    const status = Number(headers.get(':status') ?? 0);
    this.#attempt.status = status;
    this.#headers = headers;
    if (status >= 400) return this.#errorHeaders(headers, status, last);
    if (!this.#fallback || headers.get('content-encoding') !== undefined) return RELEASE;
    const { retry } = this.#attempt.target;
    const type = headers.get('content-type') ?? '';
    const { wire } = this.#attempt;
    const stream = wire === 'gemini-generate' && this.#state.admitted?.facts.stream === true;
    if (framingOf(type, stream) !== null) {
      if (retry.firstTokenMs === null) return RELEASE;
      this.#reader = createResponseReader(wire, { stream: true, contentType: type });
      return last ? this.#ended() : HOLD;
    }
    this.#json = retry.on.errorEvent && /[/+]json/i.test(type);
    return this.#json && !last ? HOLD : RELEASE;
  }

  body(chunk: Buffer, last: boolean): Verdict {
    if (this.#errorBody) return this.#errorChunk(chunk, last);
    if (this.#json) return this.#jsonChunk(chunk);
    const reader = this.#reader;
    if (!reader) return RELEASE;
    reader.push(chunk);
    const { on } = this.#attempt.target.retry;
    if (reader.facts.error !== null) return on.errorEvent ? this.#next('error_event') : RELEASE;
    if (reader.facts.content) return RELEASE;
    return last ? this.#ended() : HOLD;
  }

  /** Silence past the deadline. */
  late(): Verdict {
    return this.#attempt.target.retry.on.firstToken ? this.#next('first_token') : RELEASE;
  }

  #ended(): Verdict {
    this.#reader?.end();
    const facts = this.#reader?.facts;
    // A provider that states usage, or refuses the prompt, has answered, if only with nothing.
    if (facts?.usage || facts?.blocked) return RELEASE;
    return this.#attempt.target.retry.on.empty ? this.#next('empty') : RELEASE;
  }

  #jsonChunk(chunk: Buffer): Verdict {
    return ERROR_OBJECT.test(chunk.toString('latin1', 0, 200)) ? this.#next('error_event') : RELEASE;
  }

  #errorHeaders(headers: HeaderView, status: number, last: boolean): Verdict {
    const cooldownMs = readCooldown((name) => headers.get(name), null, this.#parts.clock.now());
    this.#attempt.failure = { reason: reasonOf(status), cooldownMs };
    noteRefusal(this.#parts, this.#state, this.#attempt, cooldownMs);
    const { on } = this.#attempt.target.retry;
    // Envoy itself retries these by their status.
    if (on.statuses.has(status) || !this.#fallback || last || !READ_BODY.has(status)) return RELEASE;
    this.#errorBody = [];
    return HOLD;
  }

  #errorChunk(chunk: Buffer, last: boolean): Verdict {
    const kept = this.#errorBody ?? [];
    this.#errorBytes += chunk.length;
    // The bytes are only valid during the call.
    if (this.#errorBytes <= MAX_ERROR_BYTES) kept.push(Buffer.from(chunk));
    if (!last && this.#errorBytes <= MAX_ERROR_BYTES) return HOLD;
    const headers = Object.fromEntries(this.#headers?.entries() ?? []);
    const { kind } = readProviderError(this.#attempt.status ?? 0, headers, Buffer.concat(kept));
    const { on } = this.#attempt.target.retry;
    if (kind === 'auth' && on.auth) return this.#next('auth');
    if (kind === 'content_filter' && on.contentFilter) return this.#next('content_filter');
    if (kind === 'context_length') return this.#tooLong(on.contextLength);
    return RELEASE;
  }

  #tooLong(asked: boolean): Verdict {
    const { admitted } = this.#state;
    this.#attempt.failure = { reason: 'context_length', cooldownMs: null };
    if (!asked || !admitted) return RELEASE;
    const at = this.#state.arrivedAt;
    const windowOf = (target: OpenAttempt['target']): number | null =>
      target.contextWindow ?? this.#state.rules.prices.find(target, at)?.contextWindow ?? null;
    const plan = largerWindows(admitted.plan, this.#attempt.number, windowOf);
    if (!plan) return RELEASE;
    this.#state.admitted = { ...admitted, plan };
    return { kind: 'next', clusters: plan.map((target) => this.#parts.clusterOf(target.provider)) };
  }

  #next(reason: string): Verdict {
    this.#attempt.failure = { reason, cooldownMs: this.#attempt.failure?.cooldownMs ?? null };
    return NEXT;
  }
}

/** 401 and 403 are one thing, whoever they blame. */
export function reasonOf(status: number): string {
  return status === 401 || status === 403 ? 'auth' : String(status);
}
