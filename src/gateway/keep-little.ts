import { lastingCopy } from '../codec/lasting-room.js';
import { NO_HEADERS } from './headers.js';
import type { HeaderPair } from './reply.js';
import type { RequestState } from './state.js';

const NO_PAIRS: readonly HeaderPair[] = [];
/** Smaller bodies lie in memory that they share with what came before and after them. */
const SHARED_BELOW = Buffer.poolSize >>> 1;

/**
 * Lets go of what only the request and the headers of its answer needed, once the router has taken that answer: no attempt
 * follows, and thousands of streams may be open for minutes.
 */
export function keepLittle(state: RequestState): void {
  const { admitted, held } = state;
  state.headers = NO_HEADERS;
  state.parsed = null;
  if (held) held.headers = NO_PAIRS;
  if (!admitted || admitted.body.length >= SHARED_BELOW) return;
  admitted.body = lastingCopy(admitted.body);
  // Read once more in the rare case that the provider does not say what it took.
  admitted.facts.content = undefined;
}
