import { tokenFamily } from '../accounting/tokens/families.js';
import { LONG_BODY } from './long-work/long-work.js';
import { ownsMemory } from './long-work/perform.js';
import type { Parts } from './parts.js';
import type { BodyBytes } from './reply.js';
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
  const { body } = admitted;
  admitted.body = NO_BODY;
  // Before that nobody has read it yet; with a second attempt, maybe not everybody.
  if (admitted.taken && state.attempts.length === 0 && ownsMemory(body)) body.buffer.transfer(0);
}

/** Below it, collecting garbage does the same for less. */
const FREED_FROM = 32 * 1024;

/**
 * Gives a large body's memory back at once when the request is over: V8 marks its whole heap for every 64 MB that lie outside
 * of it. Whoever still has a view of it sees no bytes, never another's. Not where some of it may still be on its way to Envoy:
 * the kernel would send what lies there then.
 */
export function freeBody(parts: Parts, state: RequestState): void {
  const { admitted } = state;
  if (!admitted?.taken || !state.complete || state.attempts.length > 1 || parts.content) return;
  const { body } = admitted;
  if (body.length < FREED_FROM || !ownsMemory(body)) return;
  admitted.body = NO_BODY;
  body.buffer.transfer(0);
}

/**
 * What to do when the first attempt's body has left for Envoy: a long one that nothing else needs gives its memory back, before
 * the provider has answered. undefined: nothing.
 */
export function freeWhenTaken(parts: Parts, state: RequestState, body: BodyBytes): (() => void) | undefined {
  const { admitted } = state;
  if (!admitted || parts.content) return undefined;
  const pieces = Buffer.isBuffer(body) ? [body] : body;
  if (pieces.reduce(addLength, 0) < FREED_FROM) return undefined;
  // Others' bytes may lie in less: memory of so much is one body's.
  const buffers = new Set(pieces.map(({ buffer }) => buffer).filter(({ byteLength }) => byteLength > LONG_BODY));
  return () => {
    admitted.taken = true;
    for (const buffer of buffers) {
      if (buffer instanceof ArrayBuffer && buffer !== admitted.body.buffer) buffer.transfer(0);
    }
  };
}

function addLength(sum: number, { length }: Buffer): number {
  return sum + length;
}
