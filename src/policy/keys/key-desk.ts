import type { KeyChange } from './key-change.js';

/** A key as people see it. Times are ISO 8601 UTC. Neither the secret nor its digest is in it. */
export interface KeyView {
  readonly id: string;
  /** `config`: fixed in the config file, cannot be changed at run time. */
  readonly source: 'config' | 'issued';
  readonly state: 'active' | 'expired' | 'revoked';
  readonly labels: Readonly<Record<string, string>>;
  readonly models: readonly string[] | null;
  readonly endpoints: readonly string[] | null;
  readonly expires: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created: string | null;
  readonly revoked: string | null;
  readonly changed: string | null;
  readonly changed_by: string | null;
  /** Older secrets that are still valid, and until when: the grace period of a rotation. */
  readonly old_secrets_until: readonly string[];
}

export interface ChangedKey {
  readonly key: KeyView;
  /** The whole key text after `create` and `rotate`, this once; null after other changes. */
  readonly secret: string | null;
}

export interface KeyPage {
  readonly data: readonly KeyView[];
  readonly next: string | null;
}

/** Where keys are looked at and changed: in this process, or through a running gateway's admin API. All reject with `KeyError`. */
export interface KeyDesk {
  list(query: { readonly limit: number; readonly cursor: string | null }): Promise<KeyPage>;
  get(id: string): Promise<KeyView>;
  change(change: KeyChange): Promise<ChangedKey>;
}
