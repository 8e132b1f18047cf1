import type { CountPiece } from './text-tokens.js';

/** Special tokens are text like any other in what users write: `<|endoftext|>` must neither throw nor count as one. */
const PLAIN = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/** The o200k vocabulary: 2 MB of code, a tenth of a second and 60 MB of memory, so it is loaded when it is needed. */
export async function loadO200k(): Promise<CountPiece> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  return (text) => countTokens(text, PLAIN);
}
