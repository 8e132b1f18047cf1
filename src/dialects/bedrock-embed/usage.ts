import type { JsonObject } from '../json-value.js';
import { statedAmount } from '../stated-amount.js';
import { emptyUsage, type Usage } from '../usage.js';

const INPUT_TOKENS = 'x-amzn-bedrock-input-token-count';

/** Titan's answers state their tokens; those of Cohere's and Nova's models on Bedrock do not: see `bedrockHeaderUsage`. */
export function bedrockEmbedUsage(body: JsonObject): Usage | null {
  const tokens = statedAmount(body, 'inputTextTokenCount');
  return tokens === null ? null : { ...emptyUsage(), input: tokens };
}

/** What `InvokeModel` states in the headers of every answer; null when the header is missing or no number. */
export function bedrockHeaderUsage(header: (name: string) => string | undefined): Usage | null {
  const text = header(INPUT_TOKENS) ?? '';
  return /^\d{1,15}$/.test(text) ? { ...emptyUsage(), input: Number(text) } : null;
}
