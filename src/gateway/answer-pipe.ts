import type { ResponseFacts } from '../dialects/response-reader.js';

/** One answer of a provider on its way to the client, metered as it passes. */
export interface AnswerPipe {
  readonly facts: Readonly<ResponseFacts>;
  /** Pieces that were pushed and not yet answered. */
  readonly pending: number;
  /** The stream ended without its end; final after the last piece. */
  readonly truncated: boolean;
  /** The answers that are decided now, oldest first: null = unchanged. With `last`, all of them, and an error event where the end is missing. */
  push(chunk: Buffer, last: boolean): readonly (Buffer | null)[];
  /** Decides everything that is pending as it is; for a deadline. */
  release(): readonly (Buffer | null)[];
  /** Real trailers ended the body: nothing can be added to it any more. */
  trailers(): readonly (Buffer | null)[];
  /** Calls back when the facts are final. */
  finish(done: () => void): void;
}
