import { createHash } from 'node:crypto';
import type { CounterWindow, Dimension } from '../../store/counter-store.js';
import { windowText } from '../../store/windows/window-clock.js';

/** Characters of a whole key. */
export const LONGEST_KEY = 200;
/** Escaped characters of a limit's name: with a window and a hash it stays below `LONGEST_KEY`. */
const LONGEST_NAME = 50;

/**
 * Separators, control characters, what stores give a meaning (`@`, `{`, `}`), and lone surrogates, which UTF-8 would turn
 * into one and the same character.
 */
const UNSAFE = /[%|,@=#{}\p{Cc}\p{Cs}]/gu;

export function escapeKeyPart(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length <= 2 ? `%${code.padStart(2, '0')}` : `%u${code}`;
  });
}

/** `<limit>|<dimension>|<window>|`: the part of a key that all partitions of a bound share. */
export function keyPrefix(limit: string, of: Dimension, window: CounterWindow): string {
  return `${shortened(escapeKeyPart(limit), LONGEST_NAME)}|${of}|${windowText(window)}|`;
}

/**
 * `key.id=web,request.user=ann`, in the order of `per`; empty without `per`. Field names are part of it, so that a changed
 * `per` never meets the counters of the old one. `names`: escaped.
 */
export function partitionText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 1) return `${names[0]}=${escapeKeyPart(values[0] ?? '')}`;
  return names.map((name, index) => `${name}=${escapeKeyPart(values[index] ?? '')}`).join(',');
}

/** The whole key; a long partition is replaced by `#` and its SHA-256. Different arguments give different keys. */
export function counterKey(prefix: string, partition: string): string {
  return prefix + shortened(partition, LONGEST_KEY - prefix.length);
}

/** `#` is escaped in every text, so a hash is never mistaken for one. */
function shortened(text: string, most: number): string {
  return text.length <= most ? text : `#${createHash('sha256').update(text).digest('base64url')}`;
}
