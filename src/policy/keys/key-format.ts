import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `sk-tg-<id: 8>-<secret: 43><crc: 6>`, all base62; 43 characters carry 256 bits. The CRC32 (IEEE) covers everything
 * before it, so that a typo or a guess is told from a key without a look-up. Source: design 1.7.
 */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX = 'sk-tg-';
const ID_LENGTH = 8;
const SECRET_LENGTH = 43;
const CRC_LENGTH = 6;
const SECRET_AT = PREFIX.length + ID_LENGTH + 1;
const LENGTH = SECRET_AT + SECRET_LENGTH + CRC_LENGTH;
/** 1 for each base62 character code. */
const IS_BASE62 = Uint8Array.from({ length: 128 }, (_, code) => (ALPHABET.includes(String.fromCharCode(code)) ? 1 : 0));
/** The largest multiple of 62 that a byte can hold: bytes from here on are thrown away, or digits would be uneven. */
const FAIR_BYTES = 248;

export interface NewKey {
  /** Public: used in logs and records. */
  readonly id: string;
  /** The whole key as the app sends it. Shown once. */
  readonly text: string;
}

/** Makes a key. `random(size)` must be a cryptographic source; it is an argument for tests. */
export function generateKey(random: (size: number) => Buffer = randomBytes): NewKey {
  const id = base62(ID_LENGTH, random);
  return { id, text: generateKeyText(id, random) };
}

/** Another secret for the key with this id. */
export function generateKeyText(id: string, random: (size: number) => Buffer = randomBytes): string {
  const body = `${PREFIX}${id}-${base62(SECRET_LENGTH, random)}`;
  return body + checksum(body);
}

/**
 * What a presented secret claims to be: `issued` with its public id, `malformed` when it begins like a key of ours but
 * cannot be one (reject without a look-up among issued keys), `foreign` otherwise (only a fixed key can match).
 */
export function readKeyFormat(
  text: string,
): { readonly kind: 'issued'; readonly id: string } | { readonly kind: 'malformed' | 'foreign' } {
  if (!text.startsWith(PREFIX)) return { kind: 'foreign' };
  if (text.length !== LENGTH || !isWellFormed(text)) return { kind: 'malformed' };
  const body = text.slice(0, -CRC_LENGTH);
  if (!text.endsWith(checksum(body))) return { kind: 'malformed' };
  return { kind: 'issued', id: text.slice(PREFIX.length, SECRET_AT - 1) };
}

/** Looks at every character in the same way, or a processor that learns its branches would be faster for familiar keys. */
function isWellFormed(text: string): boolean {
  let all = text.charCodeAt(SECRET_AT - 1) === 0x2d ? 1 : 0;
  for (let at = PREFIX.length; at < LENGTH; at += 1) {
    const code = text.charCodeAt(at);
    if (at !== SECRET_AT - 1) all &= code < 128 ? (IS_BASE62[code] ?? 0) : 0;
  }
  return all === 1;
}

function checksum(body: string): string {
  let rest = crc32(body);
  let digits = '';
  while (rest > 0) {
    digits = ALPHABET.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits.padStart(CRC_LENGTH, '0');
}

function base62(length: number, random: (size: number) => Buffer): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(length - text.length)) if (byte < FAIR_BYTES) text += ALPHABET.charAt(byte % 62);
  }
  return text;
}
