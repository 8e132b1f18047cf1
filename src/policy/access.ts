import { compileGlobs, type Matcher } from '../config/glob.js';
import type { GatewayKey } from './keys/key-ring.js';

/** May this key use that name? */
export type Access = (key: GatewayKey, name: string) => boolean;

/** Access to models by the name that the client sent (`keys[].models`). Refusal: 403 `model_not_allowed`. */
export function createAccess(known: Iterable<GatewayKey> = []): Access {
  return accessBy((key) => key.models, known);
}

/** Access to endpoints by the client's path, such as `/v1/chat/completions` (`keys[].endpoints`). */
export function createEndpointAccess(known: Iterable<GatewayKey> = []): Access {
  return accessBy((key) => key.endpoints ?? null, known);
}

/**
 * Each list is compiled once: when its key is `known` here, else on first sight (keys issued later). No list allows
 * everything, an empty one nothing. What was compiled is forgotten with its key.
 */
function accessBy(globsOf: (key: GatewayKey) => readonly string[] | null, known: Iterable<GatewayKey>): Access {
  const compiled = new WeakMap<GatewayKey, Matcher>();
  const matcherOf = (key: GatewayKey, globs: readonly string[]): Matcher => {
    const existing = compiled.get(key);
    if (existing !== undefined) return existing;
    const matcher = compileGlobs(globs);
    compiled.set(key, matcher);
    return matcher;
  };
  for (const key of known) {
    const globs = globsOf(key);
    if (globs !== null) matcherOf(key, globs);
  }
  // Most keys have no list: they need no table.
  return (key, name) => {
    const globs = globsOf(key);
    return globs === null || matcherOf(key, globs)(name);
  };
}
