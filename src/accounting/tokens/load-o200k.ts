import { readFile } from 'node:fs/promises';
import { O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import { createBytePairCounter } from './byte-pairs.js';
import type { CountPiece } from './text-tokens.js';
import { readVocabulary } from './vocabulary.js';

const WARM_UP_ROUNDS = 100;
const WARM_UP = 'Compile the loop, please: {"name":"größe", "n": 12345} — 東京 … and so on.\n\n'.repeat(4);

/**
 * The o200k vocabulary: some hundredths of a second of one turn and 4 MB of memory, so it is loaded when it is needed. Special
 * tokens are text like any other in what users write: `<|endoftext|>` does not count as one.
 */
export async function loadO200k(): Promise<CountPiece> {
  const file = await readFile(new URL(import.meta.resolve('gpt-tokenizer/data/o200k_base.tiktoken')));
  const count = createBytePairCounter(readVocabulary(file), O200K_TOKEN_SPLIT_REGEX);
  // The first counts are ten times as slow as later ones: better now than while somebody waits.
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) count(`${WARM_UP} ${round}`);
  return count;
}
