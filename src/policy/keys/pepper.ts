import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** Keys the HMAC of issued keys: who has only the store cannot check a guess. */
export interface Pepper {
  /** Tells peppers apart in the store; says nothing about the pepper itself. */
  readonly name: string;
  readonly key: KeyObject;
}

/** New secrets are made under the first; all are known. */
export type Peppers = readonly [active: Pepper, ...older: Pepper[]];

export function createPepper(text: string): Pepper {
  const key = createSecretKey(text, 'utf8');
  return { name: createHmac('sha256', key).update('name of this pepper').digest('hex').slice(0, 12), key };
}

/** HMAC-SHA256 of the whole key text: what a store keeps. */
export function keyDigest(pepper: Pepper, text: string): Buffer {
  return createHmac('sha256', pepper.key).update(text).digest();
}
