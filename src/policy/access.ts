import { compileGlobs, type Matcher } from './glob.js';
import type { GatewayKey } from './keys/key-ring.js';

/** May this key use the name that the client sent? */
export type Access = (key: GatewayKey, model: string) => boolean;

const anything: Matcher = () => true;

/**
 * Access by the key's `models`. Each list is compiled once, when `known` keys are given here, else on first sight (keys
 * issued later); lists that nobody holds any more are forgotten with their key.
 */
export function createAccess(known: Iterable<GatewayKey> = []): Access {
  const compiled = new WeakMap<GatewayKey, Matcher>();
  const matcherOf = (key: GatewayKey): Matcher => {
    const existing = compiled.get(key);
    if (existing !== undefined) return existing;
    const matcher = key.models === null ? anything : compileGlobs(key.models);
    compiled.set(key, matcher);
    return matcher;
  };
  for (const key of known) matcherOf(key);
  return (key, model) => matcherOf(key)(model);
}
