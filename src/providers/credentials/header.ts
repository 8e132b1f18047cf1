import type { Credential } from '../../config/snapshot.js';
import type { ProviderKind } from '../kind.js';

/** A header as it leaves for the provider. `value` is secret: it goes into a mutation and nowhere else. */
export interface OutgoingHeader {
  readonly name: string;
  readonly value: string;
}

/** The header that carries a credential; null when the kind knows none or the account has none. */
export function credentialHeader(kind: ProviderKind, credential: Credential | null): OutgoingHeader | null {
  if (kind.credential === null || credential === null) return null;
  return { name: kind.credential.header, value: kind.credential.prefix + credential.secret.reveal() };
}

/** Every header name that any of these kinds puts a credential in: what must be wiped before another attempt. */
export function credentialHeaderNames(kinds: Iterable<ProviderKind>): readonly string[] {
  const names = new Set<string>();
  for (const { credential } of kinds) if (credential !== null) names.add(credential.header);
  return [...names].sort();
}
