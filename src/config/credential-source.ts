import type { Secret } from '../observability/secret.js';

/** Whose identities (roles, service accounts, principals) may stand for a key. */
export type CloudIdentity = 'aws' | 'azure' | 'google';

/** Where a provider's servers are, and whose account pays there. */
export type PlaceSetting = 'region' | 'project' | 'location';

/** What an app's own key at a provider may do: nothing, replace the configured one, or be the only one. */
export type BringYourOwn = 'off' | 'allowed' | 'required';

/** One way to prove who we are to a provider. */
export interface Credential {
  /**
   * Without a `source`: what is sent, an API key or a bearer token. With one: the secret part of it (the secret access
   * key, the client secret, Google's whole JSON), never sent as it is; empty where the surroundings hold it.
   */
  readonly secret: Secret;
  /** Share of the requests among the credentials of the account; 0 = only when all are 0. */
  readonly weight: number;
  /** Absent = the secret itself is sent. */
  readonly source?: CredentialSource;
}

/** What a token or a signature is made from. */
export type CredentialSource = AwsSource | EntraSource | GoogleSource;

export type AwsSource =
  /** The credential's secret is the secret access key. */
  | { readonly kind: 'aws-keys'; readonly accessKeyId: string; readonly sessionToken: Secret | null }
  /** A profile of `~/.aws/credentials` and `~/.aws/config`. */
  | { readonly kind: 'aws-profile'; readonly profile: string }
  /** What the place where we run gives. */
  | { readonly kind: 'aws-ambient'; readonly from: 'default' | 'container' | 'instance' | 'web_identity' };

export type EntraSource =
  /** The credential's secret is the client secret. */
  | { readonly kind: 'entra-secret'; readonly tenantId: string; readonly clientId: string; readonly scope: string }
  | {
      readonly kind: 'entra-ambient';
      readonly from: 'managed_identity' | 'workload_identity';
      /** null = what the environment says. */
      readonly tenantId: string | null;
      readonly clientId: string | null;
      readonly scope: string;
    };

export type GoogleSource =
  /** The credential's secret is the JSON that Google's tools give: see `google-json.ts`. */
  { readonly kind: 'google-json' } | { readonly kind: 'google-ambient'; readonly from: 'metadata' | 'default' };
