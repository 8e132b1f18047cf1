import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/** What answers of one kind have in common: who gave them, and in which form the client got them. */
export interface AnswerKind {
  /** `provider/model`. */
  readonly target: string;
  readonly endpoint: string;
  readonly stream: boolean;
}

/** Body bytes that went to the client, and the output tokens that the provider stated for them, reasoning included. */
export type AnswerSize = readonly [bytes: number, tokens: number];

/** In the data directory. */
export const WIDTHS_FILE = 'answer-widths.json';

const VERSION = 1;
/** The latest answers of each kind. */
const SAMPLES = 32;
/** Fewer say too little about the spread. */
const ENOUGH = 8;
const MOST_KINDS = 500;
/** The line lies above every sample where that takes no more than this share of an answer… */
const RAISED_MOST = 0.02;
/** …and otherwise above this share of the samples: the longest words would make every answer a tenth too large. */
const RAISED_ABOVE = 0.7;
/** Of the line's arithmetic, in tokens. */
const ROUNDING = 1e-6;

/**
 * How wide a token is on the wire, learned by kind from answers whose usage the provider stated: the way to estimate an answer
 * that only Envoy saw. A straight line through the latest answers, raised a little: where answers are built alike (streams) an
 * estimate is rarely below the truth and close to it; where they are not (words of any width in a whole body) the sum of many is.
 */
export class AnswerWidths {
  readonly #kinds = new Map<string, AnswerSize[]>();
  /** The last one of `#kinds`. */
  #latest: string | null = null;
  #changed = false;

  /** A whole answer. */
  observe(kind: AnswerKind, size: AnswerSize): void {
    const key = keyOf(kind);
    const samples = this.#kinds.get(key) ?? [];
    samples.push(size);
    if (samples.length > SAMPLES) samples.shift();
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

  /** Output tokens of so many bytes; null when too little is known. `cut`: the end of the answer is missing. */
  outputTokens(kind: AnswerKind, bytes: number, cut: boolean): number | null {
    const samples = this.#kinds.get(keyOf(kind)) ?? [];
    if (samples.length < ENOUGH || bytes <= 0) return null;
    const line = upperLine(samples);
    // What every answer has beside its tokens lies mostly at its end; what was cut does not have it.
    if (cut) return Math.max(1, Math.ceil(Math.max(0, line.offset) + line.slope * bytes - ROUNDING));
    // The line lies above the truth, which is a whole number: the next one below is not below it either.
    return Math.max(1, Math.floor(line.offset + line.slope * bytes + ROUNDING));
  }

  /** Output tokens of a long answer of this kind, for one that nobody saw; null when too little is known. */
  longAnswer(kind: AnswerKind): number | null {
    const samples = this.#kinds.get(keyOf(kind)) ?? [];
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
      for (const [key, samples] of kinds) if (samples.every(isSize)) this.#kinds.set(key, samples.slice(-SAMPLES));
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
      await writeFile(draft, JSON.stringify({ version: VERSION, kinds: [...this.#kinds] }), { mode: 0o600 });
      await rename(draft, path);
    } catch (error) {
      this.#changed = true;
      await rm(draft, { force: true });
      throw error;
    }
  }
}

interface Saved {
  readonly version: number;
  readonly kinds: readonly (readonly [string, AnswerSize[]])[];
}

function isSize(size: unknown): size is AnswerSize {
  return Array.isArray(size) && size.length === 2 && size.every((part) => typeof part === 'number' && part >= 0);
}

function keyOf({ target, endpoint, stream }: AnswerKind): string {
  return `${target} ${endpoint} ${stream ? 'stream' : 'whole'}`;
}

interface Line {
  readonly offset: number;
  readonly slope: number;
}

/** Least squares of tokens over bytes, then moved up. */
function upperLine(samples: readonly AnswerSize[]): Line {
  const count = samples.length;
  const meanBytes = samples.reduce((sum, [bytes]) => sum + bytes, 0) / count;
  const meanTokens = samples.reduce((sum, [, tokens]) => sum + tokens, 0) / count;
  let [spread, common] = [0, 0];
  for (const [bytes, tokens] of samples) {
    spread += (bytes - meanBytes) ** 2;
    common += (bytes - meanBytes) * (tokens - meanTokens);
  }
  const slope = spread > 0 ? common / spread : 0;
  // Answers of one length, or of lengths that say nothing: the share of the densest one is all that is known.
  if (slope <= 0) return { offset: 0, slope: Math.max(...samples.map(([bytes, tokens]) => tokens / bytes)) };
  const offsets = samples.map(([bytes, tokens]) => tokens - slope * bytes).sort((left, right) => left - right);
  return { offset: raisedOffset(offsets, { middle: meanTokens - slope * meanBytes, meanTokens }), slope };
}

/** `offsets` ascending; `middle`: that of the least squares. */
function raisedOffset(
  offsets: readonly number[],
  { middle, meanTokens }: { readonly middle: number; readonly meanTokens: number },
): number {
  const highest = offsets.at(-1) ?? middle;
  const usual = offsets[Math.ceil(RAISED_ABOVE * offsets.length) - 1] ?? highest;
  return Math.min(highest, Math.max(usual, middle + RAISED_MOST * meanTokens));
}
