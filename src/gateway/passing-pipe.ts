import type { Wire } from '../dialects/endpoint.js';
import type { ChunkEditor, ResponseFacts } from '../dialects/response-reader.js';
import { hasTerminal, streamError } from '../dialects/stream-error.js';
import { createUsageChunkEditor } from '../dialects/usage-chunk-editor.js';
import type { AnswerPipe } from './answer-pipe.js';
import type { Meter } from './meter.js';

const NOTHING: readonly null[] = [];
const UNCHANGED: readonly null[] = [null];

export interface PassingParts {
  readonly meter: Meter;
  readonly wire: Wire;
  /** Server-sent events that are not compressed: the only kind of body into which bytes can be written. */
  readonly plainStream: boolean;
  /** The client did not ask for the usage chunk. */
  readonly hidesUsage: boolean;
}

/** An answer in the client's own dialect: its bytes stay as they are, but for a usage chunk that nobody asked for. */
export class PassingPipe implements AnswerPipe {
  truncated = false;
  readonly #parts: PassingParts;
  readonly #editor: ChunkEditor | null;

  constructor(parts: PassingParts) {
    this.#parts = parts;
    this.#editor = parts.plainStream && parts.hidesUsage ? createUsageChunkEditor(parts.wire) : null;
  }

  get facts(): Readonly<ResponseFacts> {
    return this.#parts.meter.facts;
  }

  get pending(): number {
    return this.#editor?.pending ?? 0;
  }

  push(chunk: Buffer, last: boolean): readonly (Buffer | null)[] {
    const text = this.#parts.meter.push(chunk);
    const answers = this.#editor ? this.#editor.push(chunk, last, text) : UNCHANGED;
    if (!last) return answers;
    const ending = this.#missingEnd();
    this.truncated = ending !== null;
    return ending === null ? answers : withEnding(answers, chunk, ending);
  }

  release(): readonly (Buffer | null)[] {
    return this.#editor?.release() ?? NOTHING;
  }

  trailers(): readonly (Buffer | null)[] {
    const answers = this.pending > 0 ? this.release() : NOTHING;
    this.truncated = this.#missingEnd() !== null;
    return answers;
  }

  finish(done: () => void): void {
    this.#parts.meter.finish(done);
  }

  /** The error event for a stream that ended cleanly without its own end; null when all is well or nothing can be said. */
  #missingEnd(): Buffer | null {
    const { wire, meter, plainStream } = this.#parts;
    if (!plainStream || !hasTerminal(wire)) return null;
    meter.finish(() => undefined);
    const { terminal, error, skipped } = meter.facts;
    if (terminal || error !== null || skipped === true) return null;
    return streamError(wire, 'The provider ended the stream before it was complete.');
  }
}

/** Appends to the answer of the last chunk, which is the last answer. */
function withEnding(answers: readonly (Buffer | null)[], chunk: Buffer, ending: Buffer): readonly (Buffer | null)[] {
  const last = answers.at(-1) ?? chunk;
  return [...answers.slice(0, -1), Buffer.concat([last, ending])];
}
