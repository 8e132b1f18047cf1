import { tokenFamily } from '../accounting/tokens/families.js';
import { LONG_BODY } from './long-work/long-work.js';
import { ownsMemory } from './long-work/perform.js';
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

/** Below it, collecting garbage does the same for less. */
const FREED_FROM = 32 * 1024;

/**
 * Gives a large body's memory back at once when the request is over: V8 marks its whole heap for every 64 MB that lie outside
 * of it. Whoever still has a view of it sees no bytes, never another's. Not where some of it may still be on its way to Envoy,
 * which an answer to the only attempt rules out.
 */
export function freeBody(parts: Parts, state: RequestState): void {
  const { admitted } = state;
  if (!admitted || !state.complete || state.attempts.length > 1 || parts.content) return;
  const { body } = admitted;
  if (body.length < FREED_FROM || !ownsMemory(body)) return;
  admitted.body = NO_BODY;
  body.buffer.transfer(0);
}
