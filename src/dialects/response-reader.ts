import { ContentSample } from './content-sample.js';
import type { Usage } from './usage.js';

/** What a provider's answer says about itself. Filled while bytes pass; valid at any moment, final after `end()`. */
export interface ResponseFacts {
  /** Normalised from the provider's last statement; null while none was stated. */
  usage: Usage | null;
  /** `model` in the answer. */
  model: string | null;
  /** The dialect's end was seen: `[DONE]`, a finish reason on every choice, response.completed, a whole JSON body. */
  terminal: boolean;
  /** An error event or object inside a 200 answer; its message, at most 300 characters. */
  error: string | null;
  /** The provider's own name of that error: `overloaded_error`, `429`; null or absent when it gave none. */
  errorCode?: string | null;
  /** At least one token of content (text, reasoning, tool call) was seen. */
  content: boolean;
  /** UTF-8 bytes of content seen so far: the base of an estimate when the stream is cut. */
  contentBytes: number;
  /** Events that held content: most providers send every token in one of its own. */
  contentEvents: number;
  /** Calls of functions that were begun: each has tokens of its own around its name and arguments. */
  toolCalls: number;
  /** The beginning of the content, to count its tokens. */
  readonly sample: ContentSample;
  /** `contentBytes` when usage was last stated: what came later is not in it. */
  usageAtBytes: number;
  /** The tier that the answer says it was served by (`flex`, `priority`…); null when it says nothing. */
  serviceTier: string | null;
  /** Cost that the provider itself stated, in dollars (OpenRouter, Perplexity, xAI); null if none. */
  statedCostUsd: number | null;
  /** The prompt was refused before a model saw it: an answer without content, and often without usage. */
  blocked?: boolean;
  /** An event was too long to be read (above 4 MiB): treat usage as unknown if none was stated. */
  skipped?: boolean;
}

export function emptyFacts(): ResponseFacts {
  return {
    usage: null,
    model: null,
    terminal: false,
    error: null,
    content: false,
    contentBytes: 0,
    contentEvents: 0,
    toolCalls: 0,
    sample: new ContentSample(),
    usageAtBytes: 0,
    serviceTier: null,
    statedCostUsd: null,
  };
}

/** Bytes [from, to) of a chunk. */
export interface Span {
  from: number;
  to: number;
}

export const NO_SPAN: Readonly<Span> = { from: 0, to: 0 };

/**
 * Reads one answer's identity-encoded bytes as they pass. Never throws on bad input: what cannot be read is not counted.
 * Chunks may be cut anywhere; the result is the same for every cutting.
 */
export interface ResponseReader {
  readonly facts: Readonly<ResponseFacts>;
  /**
   * @param chunk is only valid during the call; copy what must be kept
   * @returns the first of its whole events in a row that add text and do nothing else, as far as they were looked for; valid until
   * the next call
   */
  push(chunk: Buffer): Readonly<Span>;
  end(): void;
}

/**
 * Removes the usage chunk that the client did not ask for, without ever being the only owner of a byte: a chunk whose
 * fate is open stays unanswered (Envoy still has it, so it survives the death of this process).
 * An answer is `null` for "leave the chunk as it is" or the bytes that replace it (maybe empty).
 */
export interface ChunkEditor {
  /** Chunks pushed and not yet answered. */
  readonly pending: number;
  /**
   * Returns the answers that are decided now, oldest first. With `last`, everything is decided.
   * @param text whole events in the chunk that state no usage for certain
   */
  push(chunk: Buffer, last: boolean, text?: Readonly<Span>): readonly (Buffer | null)[];
  /** Decides all that is pending as unchanged; for a deadline. */
  release(): readonly (Buffer | null)[];
}
