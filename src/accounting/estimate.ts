import { emptyUsage, type Usage } from '../dialects/usage.js';

/** Median of prompts and answers over many tokenizers; ±20 % by family: for bytes that nobody can read as text. */
export const BYTES_PER_TOKEN = 4;

export interface CutAnswer {
  /** The provider's last running numbers, or null when it stated none before the cut. */
  readonly stated: Usage | null;
  /** Bytes of content that had passed when it stated them. */
  readonly statedAtBytes: number;
  /** Bytes of content (text, reasoning, calls of functions) that passed in all. */
  readonly contentBytes: number;
  /** Tokens counted in that content. */
  readonly contentTokens: number;
  /** Tokens of the input, counted before the request left. */
  readonly inputTokens: number;
}

export interface EstimatedUsage {
  readonly usage: Usage;
  /** `provider`: its running numbers stand; `mixed`: they were completed by counting; `estimated`: all counted. */
  readonly source: 'provider' | 'mixed' | 'estimated';
}

/**
 * Usage of an answer that was cut before its final statement: the provider's own running numbers, and the counted tail behind
 * them. Numbers that were stated before any content (Anthropic begins with a placeholder of a few output tokens) are replaced by
 * the count where that is larger.
 */
export function estimateUsage(answer: CutAnswer): EstimatedUsage {
  const { stated, statedAtBytes, contentBytes, contentTokens, inputTokens } = answer;
  if (!stated) {
    return { usage: { ...emptyUsage(), input: inputTokens, output: contentTokens }, source: 'estimated' };
  }
  const share = contentBytes > statedAtBytes ? (contentBytes - statedAtBytes) / contentBytes : 0;
  const tail = Math.ceil(contentTokens * share);
  const output = statedAtBytes === 0 ? Math.max(stated.output, tail) : stated.output + tail;
  const missesInput = inputOf(stated) === 0;
  const usage = { ...stated, output, ...(missesInput ? { input: inputTokens } : {}) };
  return { usage, source: missesInput || output > stated.output ? 'mixed' : 'provider' };
}

/** Tokens of so many bytes: a quarter, rounded up, so that any content at all is at least one token. */
export function bytesToTokens(bytes: number): number {
  return Math.ceil(Math.max(0, bytes) / BYTES_PER_TOKEN);
}

function inputOf(usage: Usage): number {
  return (
    usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h + usage.input_audio + usage.input_image
  );
}
