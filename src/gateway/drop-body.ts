import { tokenFamily } from '../accounting/tokens/families.js';
import { LONG_BODY } from './long-work/long-work.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';

const NO_BODY = Buffer.alloc(0);

/**
 * Lets go of a long body that no further attempt can need: its answer may take minutes. Its tokens are counted now, in case the
 * provider never states them.
 */
export function dropBody(parts: Parts, state: RequestState): void {
  const { admitted, open } = state;
  if (!admitted || !open || admitted.body.length <= LONG_BODY || parts.content) return;
  state.countedInput = parts.tokens.estimateInput(admitted, tokenFamily(open.target.name));
  // Some dialects begin their answers with it.
  if (open.call !== null) state.inputEstimate ??= state.countedInput;
  state.parsed = null;
  admitted.body = NO_BODY;
}
