import type { KeyRing } from './key-ring.js';

export interface KeyRings {
  readonly fixed: KeyRing;
  readonly issued: KeyRing;
  /** Tokens of identity providers; null = none is configured. */
  readonly tokens: KeyRing | null;
}

/** Every kind of key under one seam. Each kind knows at once what cannot be its own, so the order costs nothing. */
export function createKeyRing({ fixed, issued, tokens }: KeyRings): KeyRing {
  return {
    find: (secret, now) => fixed.find(secret, now) ?? issued.find(secret, now) ?? tokens?.find(secret, now) ?? null,
    findLater: (secret, now, done) =>
      issued.findLater?.(secret, now, done) === true || tokens?.findLater?.(secret, now, done) === true,
  };
}
