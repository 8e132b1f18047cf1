import { BYTES_PER_TOKEN } from '../accounting/estimate.js';
import type { Wire } from '../dialects/endpoint.js';
import { isObject, parseJson } from '../dialects/json-value.js';
import { createFold } from '../dialects/readers.js';
import { emptyFacts, type ResponseFacts } from '../dialects/response-reader.js';

/** What is left of a whole JSON answer that the gateway lost. */
export interface LostAnswer {
  /** Bytes that it had. */
  readonly length: number;
  /** The last of them; empty where they cannot be read as text. */
  readonly end: Buffer;
  /** Output tokens that the client's own bound allowed. */
  readonly mostTokens: number;
}

/** Members in which the dialects state what was used, at the top of an answer. */
const STATEMENTS = ['"usage"', '"usageMetadata"', '"meta"'] as const;

/**
 * What a provider's answer said of itself, as far as that can be told without its bytes: the usage that its end states, or
 * its length as that of text, which can be no more than the client's bound (an image has far more bytes than tokens).
 */
export function lostFacts(wire: Wire, { length, end, mostTokens }: LostAnswer): ResponseFacts {
  const facts = emptyFacts();
  const fold = createFold(wire);
  const stated = lastMembers(end.toString());
  if (stated !== null) fold.body(stated, facts);
  if (facts.usage !== null || !fold.text) return facts;
  facts.content = true;
  facts.contentBytes = Math.min(length, mostTokens * BYTES_PER_TOKEN);
  return facts;
}

/** The members of an object from the one on that states usage: they are at its top if they make an object of their own. */
function lastMembers(end: string): Record<string, unknown> | null {
  for (const name of STATEMENTS) {
    const at = end.lastIndexOf(name);
    const members = at < 0 ? undefined : parseJson(`{${end.slice(at)}`);
    if (isObject(members)) return members;
  }
  return null;
}
