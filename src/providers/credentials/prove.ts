import type { Credential, CredentialSource } from '../../config/credential-source.js';
import type { ProviderAccount } from '../../config/snapshot.js';
import type { ProviderKind } from '../kind.js';
import type { Acquire, Material } from './acquire.js';
import { acquireAws } from './aws/acquire-aws.js';
import { type AwsKeys, signV4 } from './aws/sign-v4.js';
import { acquireEntra } from './azure/acquire-entra.js';
import type { OutgoingCall } from './credential-pool.js';
import { acquireGoogle } from './google/acquire-google.js';
import { credentialHeader, type OutgoingHeader } from './header.js';

/** What one call carries. */
export interface Proof {
  readonly headers: readonly OutgoingHeader[];
  readonly secrets: readonly string[];
}

/** Turns what a credential holds now into what a call carries. Never waits. */
export type Prove = (material: Material, call: OutgoingCall) => Proof;

/** How a credential proves itself: with something that never changes, or with something that has to be got. */
export type Way =
  | { readonly kind: 'fixed'; readonly proof: Proof }
  | { readonly kind: 'keys'; readonly keys: Material }
  | { readonly kind: 'acquired'; readonly acquire: Acquire };

/** Decided once for each credential. Throws when the account lacks what its credential needs. */
export function wayOf(account: ProviderAccount, kind: ProviderKind, credential: Credential): Way {
  const { source } = credential;
  if (source === undefined) return { kind: 'fixed', proof: keyProof(kind, credential) };
  if (source.kind === 'aws-keys') {
    const { accessKeyId, sessionToken } = source;
    const keys = {
      accessKeyId,
      secretAccessKey: credential.secret.reveal(),
      sessionToken: sessionToken?.reveal() ?? null,
    };
    return { kind: 'keys', keys: { kind: 'aws', keys } };
  }
  return { kind: 'acquired', acquire: acquireOf(account, source, credential) };
}

function acquireOf(
  account: ProviderAccount,
  source: Exclude<CredentialSource, { kind: 'aws-keys' }>,
  credential: Credential,
): Acquire {
  switch (source.kind) {
    case 'aws-profile':
    case 'aws-ambient':
      return acquireAws(source, regionOf(account));
    case 'entra-secret':
    case 'entra-ambient':
      return acquireEntra(source, credential);
    case 'google-json':
    case 'google-ambient':
      return acquireGoogle(source, credential);
  }
}

function keyProof(kind: ProviderKind, credential: Credential): Proof {
  const header = credentialHeader(kind, credential);
  return header === null ? { headers: [], secrets: [] } : { headers: [header], secrets: [credential.secret.reveal()] };
}

/** Bearer tokens as they are, AWS' keys by a signature over the call. */
export function createProve(account: ProviderAccount, now: () => number): Prove {
  const { host } = new URL(account.baseUrl);
  let known: { readonly token: string; readonly proof: Proof } | null = null;
  const bearer = (token: string): Proof => {
    if (known?.token !== token) {
      const header = { name: 'authorization', value: `Bearer ${token}` };
      known = { token, proof: { headers: [header], secrets: [token] } };
    }
    return known.proof;
  };
  const signed = (keys: AwsKeys, { method, path, body, digest }: OutgoingCall): Proof => {
    const scope = { region: regionOf(account), service: 'bedrock' };
    const headers = signV4(keys, scope, { method, host, path, body, digest: digest ?? null }, now());
    const signature = headers.at(-1)?.value.replace(/^.*Signature=/, '') ?? '';
    return { headers, secrets: keys.sessionToken === null ? [signature] : [signature, keys.sessionToken] };
  };
  return (material, call) => (material.kind === 'bearer' ? bearer(material.token) : signed(material.keys, call));
}

function regionOf(account: ProviderAccount): string {
  const region = account.region ?? null;
  if (region === null) throw new Error(`provider ${account.name} needs a region to sign for`);
  return region;
}
