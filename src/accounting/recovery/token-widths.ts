import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { bytesToTokens } from '../estimate.js';

/** What requests of one kind have in common: who answered them, and in which form the client got it. */
export interface RequestKind {
  /** `provider/model`. */
  readonly target: string;
  readonly endpoint: string;
  readonly stream: boolean;
}

/** Body bytes as the client sent or got them, and the tokens that the provider stated for them, cached ones or reasoning included. */
export type BodySize = readonly [bytes: number, tokens: number];

/** A whole answer, and the request that asked for it. */
export interface PairSize {
  readonly request: BodySize;
  readonly answer: BodySize;
}

/** In the data directory. */
export const WIDTHS_FILE = 'answer-widths.json';

const VERSION = 1;
/** The latest of each kind. */
const SAMPLES = 32;
/** Fewer say too little about the spread. */
const ENOUGH = 8;
const MOST_KINDS = 500;
/** More bytes to a token than any text has: an image; fewer: what the provider read lies elsewhere. */
const TEXT = { mostBytesPerToken: 16, leastBytesPerToken: 1 } as const;
/** The line lies above every sample where that takes no more than this share of a body… */
const RAISED_MOST = 0.02;
/** …and otherwise above this share of the samples: the longest words would make every body a tenth too large. */
const RAISED_ABOVE = 0.7;
/** Of the line's arithmetic, in tokens. */
const ROUNDING = 1e-6;

/**
 * How wide a token is on the wire, learned by kind from answers whose usage the provider stated: the way to estimate a request
 * that nobody counted and an answer that only Envoy saw. A straight line through the latest ones, raised a little: where bodies
 * are built alike (streams) an estimate is rarely below the truth and close to it; where they are not (words of any width in a
 * whole body) the sum of many is.
 */
export class TokenWidths {
  readonly #kinds = new Map<string, Samples>();
  /** The last one of `#kinds`. */
  #latest: string | null = null;
  #changed = false;

  /** A whole answer and its request. */
  observe(kind: RequestKind, { request, answer }: PairSize): void {
    const hasAnswer = answer[0] > 0 && answer[1] > 0;
    const hasRequest = isText(request);
    // A kind of which nothing can be learned takes no other's place.
    if (!hasAnswer && !hasRequest) return;
    const key = keyOf(kind);
    const samples = this.#kinds.get(key) ?? { answers: [], requests: [] };
    if (hasAnswer) add(samples.answers, answer);
    if (hasRequest) add(samples.requests, request);
    this.#changed = true;
    if (key === this.#latest) return;
    this.#latest = key;
    // The kind that was seen last is forgotten last.
    this.#kinds.delete(key);
    this.#kinds.set(key, samples);
    if (this.#kinds.size <= MOST_KINDS) return;
    const [oldest] = this.#kinds.keys();
    if (oldest !== undefined) this.#kinds.delete(oldest);
  }

  /** Input tokens of a request of so many bytes, as if all of it were text; null when too little is known. */
  inputTokens(kind: RequestKind, bytes: number): number | null {
    const samples = this.#kinds.get(keyOf(kind))?.requests ?? [];
    if (samples.length < ENOUGH || bytes <= 0) return null;
    // What is longer than everything seen is text like any other from there on: short prompts say little about its slope.
    const known = Math.min(bytes, Math.max(...samples.map(([size]) => size)));
    const line = requestLine(samples);
    return Math.max(1, Math.round(line.offset + line.slope * known) + bytesToTokens(bytes - known));
  }

  /** Output tokens of so many bytes; null when too little is known. `cut`: the end of the answer is missing. */
  outputTokens(kind: RequestKind, bytes: number, cut: boolean): number | null {
    const samples = this.#kinds.get(keyOf(kind))?.answers ?? [];
    if (samples.length < ENOUGH || bytes <= 0) return null;
    const line = upperLine(samples);
    // What every answer has beside its tokens lies mostly at its end; what was cut does not have it.
    if (cut) return Math.max(1, Math.ceil(Math.max(0, line.offset) + line.slope * bytes - ROUNDING));
    // The line lies above the truth, which is a whole number: the next one below is not below it either.
    return Math.max(1, Math.floor(line.offset + line.slope * bytes + ROUNDING));
  }

  /** Output tokens of a long answer of this kind, for one that nobody saw; null when too little is known. */
  longAnswer(kind: RequestKind): number | null {
    const samples = this.#kinds.get(keyOf(kind))?.answers ?? [];
    if (samples.length < ENOUGH) return null;
    const tokens = samples.map(([, count]) => count).sort((left, right) => left - right);
    return tokens[Math.floor(0.9 * (tokens.length - 1))] ?? null;
  }

  /** Reads what `save` wrote; nothing when there is none, or it is of another form. Never rejects. */
  async load(path: string): Promise<void> {
    this.#latest = null;
    try {
      const { version, kinds } = JSON.parse(await readFile(path, 'utf8')) as Saved;
      if (version !== VERSION) return;
      // Versions that did not learn from requests wrote two parts.
      for (const [key, answers, requests = []] of kinds)
        if (answers.every(isSize) && requests.every(isSize))
          this.#kinds.set(key, { answers: answers.slice(-SAMPLES), requests: requests.slice(-SAMPLES) });
    } catch {
      // Not worth a word: it is learned again from the next answers.
    }
  }

  /** Writes what was learned, if there is anything new. Rejects with what the file system says. */
  async save(path: string): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const draft = `${path}.${process.pid}`;
    try {
      await writeFile(draft, JSON.stringify(this.#saved()), { mode: 0o600 });
      await rename(draft, path);
    } catch (error) {
      this.#changed = true;
      await rm(draft, { force: true });
      throw error;
    }
  }

  #saved(): Saved {
    const kinds = [...this.#kinds].map(([key, { answers, requests }]) => [key, answers, requests] as const);
    return { version: VERSION, kinds };
  }
}

interface Samples {
  readonly answers: BodySize[];
  readonly requests: BodySize[];
}

interface Saved {
  readonly version: number;
  readonly kinds: readonly (readonly [key: string, answers: BodySize[], requests?: BodySize[]])[];
}

function add(samples: BodySize[], size: BodySize): void {
  samples.push(size);
  if (samples.length > SAMPLES) samples.shift();
}

function isText([bytes, tokens]: BodySize): boolean {
  return bytes <= tokens * TEXT.mostBytesPerToken && bytes >= tokens * TEXT.leastBytesPerToken && tokens > 0;
}

function isSize(size: unknown): size is BodySize {
  return Array.isArray(size) && size.length === 2 && size.every((part) => typeof part === 'number' && part >= 0);
}

function keyOf({ target, endpoint, stream }: RequestKind): string {
  return `${target} ${endpoint} ${stream ? 'stream' : 'whole'}`;
}

interface Line {
  readonly offset: number;
  readonly slope: number;
}

/** Least squares of tokens over bytes, moved up until it lies above most answers. */
function upperLine(samples: readonly BodySize[]): Line {
  const line = middleLine(samples);
  // Answers of one length, or of lengths that say nothing: the share of the densest one is all that is known.
  if (line === null) return { offset: 0, slope: Math.max(...samples.map(([bytes, tokens]) => tokens / bytes)) };
  const offsets = samples.map(([bytes, tokens]) => tokens - line.slope * bytes).sort((left, right) => left - right);
  const highest = offsets.at(-1) ?? line.offset;
  const usual = offsets[Math.ceil(RAISED_ABOVE * offsets.length) - 1] ?? highest;
  return { offset: Math.min(highest, Math.max(usual, raised(line, samples))), slope: line.slope };
}

/** The same for requests: their words differ more than the form of answers, and above most of them would be far above the sum. */
function requestLine(samples: readonly BodySize[]): Line {
  const line = middleLine(samples);
  if (line === null) return { offset: 0, slope: meanOf(samples, TOKENS) / meanOf(samples, BYTES) };
  return { offset: raised(line, samples), slope: line.slope };
}

function raised({ offset }: Line, samples: readonly BodySize[]): number {
  return offset + RAISED_MOST * meanOf(samples, TOKENS);
}

/** Least squares; null when the lengths say nothing. */
function middleLine(samples: readonly BodySize[]): Line | null {
  const [meanBytes, meanTokens] = [meanOf(samples, BYTES), meanOf(samples, TOKENS)];
  let [spread, common] = [0, 0];
  for (const [bytes, tokens] of samples) {
    spread += (bytes - meanBytes) ** 2;
    common += (bytes - meanBytes) * (tokens - meanTokens);
  }
  const slope = spread > 0 ? common / spread : 0;
  return slope > 0 ? { offset: meanTokens - slope * meanBytes, slope } : null;
}

const BYTES = 0;
const TOKENS = 1;

function meanOf(samples: readonly BodySize[], part: typeof BYTES | typeof TOKENS): number {
  return samples.reduce((sum, sample) => sum + sample[part], 0) / samples.length;
}
