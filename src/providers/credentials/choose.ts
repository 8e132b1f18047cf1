import type { Credential } from '../../config/credential-source.js';
import type { ProviderAccount } from '../../config/snapshot.js';

/** 2³² ÷ golden ratio: multiples of it, modulo 2³², are spread evenly whatever the weights are. */
const STRIDE = 2_654_435_769;

/**
 * The credential of one attempt. The same `rotation` (any integer: a counter of requests + the attempt's number) always
 * gives the same one; consecutive rotations give each credential its share by weight, evenly interleaved.
 * A weight of 0 means "not used", unless all are 0: then they share equally. Null when the account has none.
 */
export function chooseCredential(account: ProviderAccount, rotation: number): Credential | null {
  const { credentials } = account;
  if (credentials.length < 2) return credentials[0] ?? null;
  const total = credentials.reduce((sum, credential) => sum + weightOf(credential), 0);
  const point = (Math.imul(rotation, STRIDE) >>> 0) / 2 ** 32;
  if (total === 0) return credentials[Math.floor(point * credentials.length)] ?? null;
  let rest = point * total;
  let chosen: Credential | null = null;
  for (const credential of credentials) {
    const weight = weightOf(credential);
    if (weight === 0) continue;
    chosen = credential;
    if (rest < weight) break;
    rest -= weight;
  }
  return chosen;
}

function weightOf(credential: Credential): number {
  return credential.weight > 0 && Number.isFinite(credential.weight) ? credential.weight : 0;
}
