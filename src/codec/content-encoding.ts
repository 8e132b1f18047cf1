import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/**
 * A decoder that only reads along: what it cannot decode is lost for metering, never for the client.
 * Output comes in pieces of at most 64 KiB, later than the `push` that caused it.
 */
export interface ContentDecoder {
  /** Copies the chunk and decodes it when its turn comes. */
  push(chunk: Buffer): void;
  /** Resolves when all output was given to the sink; truncated or broken input ends early without an error. */
  finish(): Promise<void>;
  /** True once output was given up: damage, too much output or too much waiting input. */
  readonly gaveUp: boolean;
}

export interface ContentDecoderLimits {
  /** Bytes of output in all; above it decoding stops. Default 64 MiB. */
  readonly maxOutput?: number;
  /** Bytes of input that may wait. Default 8 MiB. */
  readonly maxWaiting?: number;
}

const OUTPUT_PIECE = 64 * 1024;
const FACTORIES: Readonly<Record<string, () => Transform>> = {
  gzip: () => zlib.createGunzip({ chunkSize: OUTPUT_PIECE, finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  deflate: () => zlib.createInflate({ chunkSize: OUTPUT_PIECE, finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  br: () => zlib.createBrotliDecompress({ chunkSize: OUTPUT_PIECE }),
  zstd: () => zlib.createZstdDecompress({ chunkSize: OUTPUT_PIECE }),
};

/**
 * Decoder for a `content-encoding` header with one coding (`x-gzip` included, case-insensitive), or null when it is
 * identity, unknown, not built into this Node, or a list.
 */
export function createContentDecoder(
  encoding: string,
  sink: (piece: Buffer) => void,
  limits: ContentDecoderLimits = {},
): ContentDecoder | null {
  const name = encoding.trim().toLowerCase().replace(/^x-/, '');
  if (name === 'zstd' && typeof zlib.createZstdDecompress !== 'function') return null;
  const factory = Object.hasOwn(FACTORIES, name) ? FACTORIES[name] : undefined;
  return factory === undefined ? null : new StreamDecoder(factory(), sink, limits);
}

class StreamDecoder implements ContentDecoder {
  gaveUp = false;
  readonly #stream: Transform;
  readonly #maxOutput: number;
  readonly #maxWaiting: number;
  readonly #closed: Promise<void>;
  #output = 0;

  constructor(stream: Transform, sink: (piece: Buffer) => void, limits: ContentDecoderLimits) {
    this.#stream = stream;
    this.#maxOutput = limits.maxOutput ?? 64 * 1024 * 1024;
    this.#maxWaiting = limits.maxWaiting ?? 8 * 1024 * 1024;
    this.#closed = new Promise((resolve) => stream.once('close', resolve));
    stream.on('error', () => {
      this.gaveUp = true;
    });
    stream.on('data', (piece: Buffer) => {
      this.#output += piece.length;
      if (this.#output > this.#maxOutput) this.#giveUp();
      else if (!this.gaveUp) sink(piece);
    });
  }

  push(chunk: Buffer): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    if (this.#stream.writableLength > this.#maxWaiting) this.#giveUp();
    else this.#stream.write(Buffer.from(chunk));
  }

  finish(): Promise<void> {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.end();
    return this.#closed;
  }

  #giveUp() {
    this.gaveUp = true;
    this.#stream.destroy();
  }
}
