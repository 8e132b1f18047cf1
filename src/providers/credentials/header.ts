import type { Credential } from '../../config/credential-source.js';
import type { ProviderKind } from '../kind.js';

/** A header as it leaves for the provider. `value` is secret: it goes into a mutation and nowhere else. */
export interface OutgoingHeader {
  readonly name: string;
  readonly value: string;
}

/** The header that carries a key; null when the kind knows none, the account has none, or it must be made into something else. */
export function credentialHeader(kind: ProviderKind, credential: Credential | null): OutgoingHeader | null {
  if (credential === null || credential.source !== undefined) return null;
  return keyHeader(kind, credential.secret.reveal());
}

/** The header in which this kind wants a plain key; null when it takes none. */
export function keyHeader(kind: ProviderKind, key: string): OutgoingHeader | null {
  if (kind.credential === null) return null;
  return { name: kind.credential.header, value: kind.credential.prefix + key };
}

/** What a signature or a token of a cloud travels in. */
const IDENTITY_HEADERS = {
  aws: ['authorization', 'x-amz-date', 'x-amz-security-token'],
  azure: ['authorization'],
  google: ['authorization'],
} as const;

/** Every header name that any of these kinds puts a credential in: what must be wiped before another attempt. */
export function credentialHeaderNames(kinds: Iterable<ProviderKind>): readonly string[] {
  const names = new Set<string>();
  for (const { credential, identity } of kinds) {
    if (credential !== null) names.add(credential.header);
    if (identity !== undefined) for (const name of IDENTITY_HEADERS[identity]) names.add(name);
  }
  return [...names].sort();
}
