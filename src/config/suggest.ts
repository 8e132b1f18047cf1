import { shown } from './problem.js';

/**
 * The candidate that a person most likely meant, or null when none is near enough.
 * Distance counts insertions, deletions, replacements and swaps of neighbours; a third of the length may differ.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const allowed = Math.max(1, Math.floor(word.length / 3));
  let best: string | null = null;
  let bestDistance = allowed + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const found = distance(word.toLowerCase(), candidate.toLowerCase());
    if (found < bestDistance) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  // A long word is no typo, and the distance below is quadratic.
  const all = [...candidates];
  const found = word.length > 64 ? null : (nearest(word, all) ?? sameBeginning(word, all));
  return found === null ? '' : `; did you mean "${found}"?`;
}

/** `azure` for `azure-openai`, `together_ai` for `together`: the only candidate that begins so, or that the word begins with. */
function sameBeginning(word: string, candidates: readonly string[]): string | null {
  const lower = word.toLowerCase();
  const found = candidates.filter((candidate) => {
    const shorter = Math.min(lower.length, candidate.length);
    return shorter >= 4 && lower.slice(0, shorter) === candidate.toLowerCase().slice(0, shorter);
  });
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** Said wherever a `provider/model` names a provider that is not there. */
export function unknownProvider(provider: string, providers: readonly string[]): string {
  return `unknown provider ${shown(provider)}${didYouMean(provider, providers)}`;
}

function distance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= left.length; row++) {
    const line = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      const above = rows[row - 1] ?? [];
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, (rows[row - 2]?.[column - 2] ?? 0) + 1);
      line.push(cost);
    }
    rows.push(line);
  }
  return rows[left.length]?.[right.length] ?? 0;
}
