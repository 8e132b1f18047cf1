import { GatewayError, renderError } from '../dialects/error.js';
import type { HeaderView } from './headers.js';
import { readWhole, type WholeAnswer } from './read-whole.js';
import type { BodyChange, HeaderPair } from './reply.js';
import type { RequestState } from './state.js';

export interface TranslatedWhole {
  readonly change: BodyChange;
  /** The client got an error in place of an answer that cannot be read. */
  readonly error: GatewayError | null;
}

/** A whole JSON answer in the client's dialect; metered from the provider's own bytes. Sets `state.response`. */
export function translateWhole(state: RequestState, headers: HeaderView, body: Buffer): TranslatedWhole {
  const attempt = state.open;
  const header = (name: string): string | undefined => headers.get(name);
  return wholeReply(state, readWhole(body, { wire: attempt?.wire ?? 'raw', header, call: attempt?.call ?? null }));
}

/** What becomes of an answer that was read. Sets `state.response`. */
export function wholeReply(state: RequestState, { facts, body, failure }: WholeAnswer): TranslatedWhole {
  if (facts !== null) state.response = facts;
  if (body === null) return failedReply(state, new GatewayError('provider_error', failure));
  const set: HeaderPair[] = [['content-type', 'application/json']];
  return { change: { body, set, remove: ['content-encoding'] }, error: null };
}

/** An error in place of the answer. */
export function failedReply(state: RequestState, error: GatewayError): TranslatedWhole {
  const rendered = renderError(error, state.errors, state.id);
  const set: HeaderPair[] = Object.entries(rendered.headers).map(([name, value]) => [name, value]);
  set.push([':status', String(rendered.status)]);
  return { change: { body: rendered.body, set, remove: ['content-encoding'] }, error };
}
