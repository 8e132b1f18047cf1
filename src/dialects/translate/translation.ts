import type { Wire } from '../endpoint.js';
import type { JsonObject } from '../json-value.js';
import type { OutputCapField } from '../request-facts.js';
import type { Losses } from './losses.js';

/**
 * One pair of dialects, stateless: `from` is what the client speaks, `to` what the provider is asked in.
 * Folder `translate/<from>-to-<to>/`: request, response, stream, and `pair.ts`, which binds the three.
 */
export interface Translation {
  readonly from: Wire;
  readonly to: Wire;
  /** Where both sides speak the same: whether this request needs it at all, or may go as it is. Absent = always needed. */
  needed?(request: JsonObject): boolean;
  /**
   * New for every attempt, from the client's original request. Throws GatewayError `unsupported_parameter` where the target
   * cannot express what changes the meaning; what is left out without changing it is told to `context.losses`.
   * @param request the client's parsed body; never changed
   */
  prepare(request: JsonObject, context: TranslationContext): PreparedCall;
  /**
   * How the answer is read, where the request was written in another thread.
   * @param memory of the call that was prepared there with the same context
   */
  recall(memory: unknown, context: TranslationContext): AnswerTranslation;
}

/** What a translation must know beside the body. */
export interface TranslationContext {
  /** The provider's name for the model; also what answers call it where the provider's say nothing. */
  readonly model: string;
  readonly stream: boolean;
  /** Output tokens that may not be exceeded, whatever the client asked for; null = the client's own bound stands. */
  readonly outputCap: number | null;
  /** The name under which this provider's chat completions bound their output. */
  readonly outputCapField: OutputCapField;
  /** Tokens of the input, roughly, for dialects whose streams begin by stating them; at least 1. */
  readonly inputTokens: number;
  /** Bound for targets that must have one when neither client nor gateway set any. */
  readonly defaultOutputTokens: number;
  /** A client of chat or completions asked for the usage chunk. */
  readonly includeUsage: boolean;
  /** Stable while the request lives: the base of ids that the client's dialect must have (`chatcmpl-…`, `msg_…`, `resp_…`). */
  readonly id: string;
  /** Epoch seconds of the request. */
  readonly created: number;
  /**
   * The result is read by another translation of ours, not by a provider: the members of `hub.ts` may be used, which real
   * OpenAI-compatible providers refuse.
   */
  readonly extended: boolean;
  /** False: the model refuses `reasoning_effort`. Absent = it is not known to. */
  readonly takesEffort?: boolean;
  /** The provider's chat completions want earlier thoughts back as `reasoning_content` (DeepSeek, Kimi, GLM). */
  readonly echoesReasoning?: boolean;
  readonly losses: Losses;
}

/** One attempt's request in the provider's dialect, and how its answer is read back. */
export interface PreparedCall extends RememberedCall {
  readonly body: JsonObject;
}

/** A call whose request is on its way. */
export interface RememberedCall extends AnswerTranslation {
  /** What reading the answer needs of the request, for `recall`: plain data that a structured clone keeps. */
  readonly memory: unknown;
}

/** How the answer to one call is read back into the client's dialect. */
export interface AnswerTranslation {
  /**
   * A whole answer of status 200. Never throws on what a provider may send; members that are missing get neutral values.
   * @param header the answer's headers, lower-case names; some providers state usage nowhere else
   */
  answer(body: JsonObject, header?: HeaderReader): JsonObject;
  /** Called once, for an answer that is a stream. */
  stream(): StreamTranslator;
}

export type HeaderReader = (name: string) => string | undefined;

/** Where the client's events go. Written at once: nothing may be kept back longer than the dialect demands. */
export interface EventSink {
  /** `type`: the `event:` line of dialects that have one, else ''. */
  event(type: string, data: JsonObject): void;
  /** OpenAI's `data: [DONE]`. */
  done(): void;
}

/** Translates one stream's events in order. Errors of the provider do not come here: the pipe tells `fail` once, then nothing more. */
export interface StreamTranslator {
  event(type: string, data: JsonObject, out: EventSink): void;
  /** `[DONE]` of a provider that sends it. */
  done(out: EventSink): void;
  /** The provider's stream ended by itself. True when it was complete, or could be completed honestly; false: the caller tells `fail`. */
  end(out: EventSink): boolean;
  /** The answer broke: the client's dialect's error event, valid after whatever was written. Never `[DONE]`, never a normal end. */
  fail(error: StreamError, out: EventSink): void;
}

export interface StreamError {
  /** For people, safe to show. */
  readonly message: string;
  /** A code of design 1.6: `provider_error`, `provider_rate_limited`, `upstream_timeout`. */
  readonly code: string;
  /** HTTP status that fits: 429, 502, 503, 504. */
  readonly status: number;
}
