import type { Target } from '../config/snapshot.js';
import { emptyUsage, type Usage } from '../dialects/usage.js';

/** Median of prompts and answers over many tokenizers; ±20 % by family, so good enough for what is marked as estimated. */
const BYTES_PER_TOKEN = 4;

export interface CutAnswer {
  /** The provider's last running numbers, or null when it stated none before the cut. */
  readonly stated: Usage | null;
  /** UTF-8 bytes of content (text, reasoning, tool calls) that passed. */
  readonly contentBytes: number;
  /** Upper bound of input tokens from the body. */
  readonly inputTokenBound: number;
  /** Bytes of the request body. */
  readonly inputBytes: number;
  readonly target: Target;
}

export interface EstimatedUsage {
  readonly usage: Usage;
  /** `provider`: its running numbers stand; `mixed`: they were completed by counting; `estimated`: all counted. */
  readonly source: 'provider' | 'mixed' | 'estimated';
}

/**
 * Usage of an answer that was cut before its final statement. The provider's own running numbers come first. Some providers
 * (Anthropic) begin with a placeholder of a few output tokens, so numbers below half of what was counted are replaced by the
 * count: no tokenizer makes tokens of more than eight bytes on average.
 */
export function estimateUsage(answer: CutAnswer): EstimatedUsage {
  const counted = bytesToTokens(answer.contentBytes);
  if (!answer.stated) {
    return { usage: { ...emptyUsage(), input: estimateInput(answer), output: counted }, source: 'estimated' };
  }
  const usage = { ...answer.stated };
  const stated = usage.output + usage.reasoning + usage.output_audio;
  const missesInput = inputOf(usage) === 0;
  const missesOutput = stated * 2 < counted;
  if (missesInput) usage.input = estimateInput(answer);
  if (missesOutput) usage.output += counted - stated;
  return { usage, source: missesInput || missesOutput ? 'mixed' : 'provider' };
}

/** Tokens of so many bytes: a quarter, rounded up, so that any content at all is at least one token. */
export function bytesToTokens(bytes: number): number {
  return Math.ceil(Math.max(0, bytes) / BYTES_PER_TOKEN);
}

/** A quarter of the body, never above the bound that the hold reserved. JSON's own characters make up for dense text. */
function estimateInput(answer: CutAnswer): number {
  return Math.min(bytesToTokens(answer.inputBytes), Math.max(0, answer.inputTokenBound));
}

function inputOf(usage: Usage): number {
  return (
    usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h + usage.input_audio + usage.input_image
  );
}
