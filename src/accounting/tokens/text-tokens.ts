/** Counts the tokens of a short text. */
export type CountPiece = (text: string) => number;

export interface TextBudget {
  readonly count: CountPiece;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** After so many milliseconds what was counted stands for the rest. */
  readonly ms: number;
}

/** A tokenizer needs a time that grows with the square of a run without a break: runs are cut. */
const LONGEST_RUN = 64;
const LONG_RUN = new RegExp(`\\S{${LONGEST_RUN}}|\\s{${LONGEST_RUN}}`, 'g');
const PIECE = 1_024;

/**
 * Tokens of texts as far as the time allows, the rest by the same measure: text made to be slow (random letters) takes ten
 * times as long as prose. Not rounded.
 */
export function sumTokens(texts: readonly string[], budget: TextBudget): number {
  const start = budget.now();
  let tokens = 0;
  let counted = 0;
  for (const text of texts) {
    for (let at = 0; at < text.length; at += PIECE) {
      const piece = text.length <= PIECE ? text : text.slice(at, at + PIECE);
      tokens += countRuns(piece, budget.count);
      counted += piece.length;
      if (budget.now() - start > budget.ms) return (tokens * lengthOf(texts)) / counted;
    }
  }
  return tokens;
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

function countRuns(piece: string, count: CountPiece): number {
  if (piece.length <= LONGEST_RUN) return count(piece);
  LONG_RUN.lastIndex = 0;
  let tokens = 0;
  let from = 0;
  while (LONG_RUN.test(piece)) {
    tokens += count(piece.slice(from, LONG_RUN.lastIndex));
    from = LONG_RUN.lastIndex;
  }
  return tokens + (from === piece.length ? 0 : count(piece.slice(from)));
}
