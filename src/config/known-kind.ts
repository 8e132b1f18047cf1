import type { CloudIdentity, PlaceSetting } from './credential-source.js';

/** What the configuration has to know about a provider kind. `ProviderKind` of `providers/` fits. */
export interface KnownKind {
  readonly kind: string;
  /** May hold `{region}` or `{location}`. null = `base_url` must be given. */
  readonly baseUrl: string | null;
  /** Base URLs of regions or locations that do not follow `baseUrl`. */
  readonly baseUrlAt?: Readonly<Record<string, string>>;
  /** Settings that the account must have besides. */
  readonly needs?: readonly PlaceSetting[];
  /** The cloud whose identities may stand for a key. */
  readonly identity?: CloudIdentity;
  /** Variables that may hold the credential; empty = needs none. */
  readonly environment: readonly string[];
  /** null = a credential cannot be sent at all. */
  readonly credential: object | null;
}

export type KnownKinds = ReadonlyMap<string, KnownKind>;

/** Variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;
