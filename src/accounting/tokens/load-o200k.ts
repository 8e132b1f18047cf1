import type { CountPiece } from './text-tokens.js';

/** Special tokens are text like any other in what users write: `<|endoftext|>` must neither throw nor count as one. */
const PLAIN = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

const WARM_UP_ROUNDS = 100;
const WARM_UP = 'Compile the loop, please: {"name":"größe", "n": 12345} — 東京 … and so on.\n\n'.repeat(4);

/** The o200k vocabulary: 2 MB of code, a tenth of a second and 60 MB of memory, so it is loaded when it is needed. */
export async function loadO200k(): Promise<CountPiece> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  const count: CountPiece = (text) => countTokens(text, PLAIN);
  // The first counts are ten times as slow as later ones: better now than while somebody waits.
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) count(`${WARM_UP} ${round}`);
  return count;
}
