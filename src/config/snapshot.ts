import type { Secret } from '../observability/secret.js';

/** Where something listens. `port` 0 asks for a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A provider's account as configured; what its kind means is known to `providers/`. */
export interface ProviderAccount {
  /** The name used in `provider/model`. Matches `^[a-z0-9][a-z0-9._-]*$`. */
  readonly name: string;
  /** A kind that `providers/` registers, such as `openai` or `azure-openai`. */
  readonly kind: string;
  /** Everything before `/chat/completions`, without a trailing slash. `http` or `https`. */
  readonly baseUrl: string;
  /** In order of configuration; empty when the provider needs none (Ollama, vLLM). */
  readonly credentials: readonly Credential[];
  /** Fixed headers sent with every request to this provider; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Azure's dated API: set → `/deployments/{model}/…?api-version=`; null → v1 paths. */
  readonly apiVersion: string | null;
}

export interface Credential {
  readonly secret: Secret;
  readonly weight: number;
}

/** `provider/model`, split at the first slash. */
export interface Target {
  /** `provider/model` as one string: the name in records, headers and prices. */
  readonly name: string;
  readonly provider: string;
  readonly model: string;
}

export interface Retry {
  /** Tries in all, the first included; null = max(2, number of targets). */
  readonly attempts: number | null;
  /** Milliseconds for the response headers of one non-stream attempt. */
  readonly responseMs: number;
  /** Milliseconds for the response headers of one streamed attempt. */
  readonly firstTokenMs: number;
  /** Milliseconds for everything, 0 = no bound. */
  readonly totalMs: number;
}

/** A name that apps ask for. */
export interface Model {
  readonly name: string;
  /** Tried in this order; at least one. */
  readonly targets: readonly Target[];
  readonly retry: Retry;
  readonly allowUnpriced: boolean;
}

/** A key fixed in the config file. Issued keys live in the store. */
export interface FixedKey {
  readonly id: string;
  /** SHA-256 of the whole secret, lower-case hex. The secret itself is not kept. */
  readonly sha256: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Globs over the name that the client sent (`*` spans `/`); null = all. */
  readonly models: readonly string[] | null;
  /** Globs over the client's path (`/v1/chat/completions`, `/v1/audio/*`); null = all. */
  readonly endpoints: readonly string[] | null;
  /** Epoch milliseconds; null = never. */
  readonly expiresAt: number | null;
}

/** Files of the gateway listener's certificate, absolute paths, PEM. Their content is Envoy's business. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Dollars per million tokens, before the catalogue; first match wins. */
export interface PriceOverride {
  /** Glob over `provider/model`. */
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  /** Dollars for each request, on top of tokens. */
  readonly request: number;
  /** Epoch milliseconds from which (inclusive) and until which (exclusive) it holds. */
  readonly from: number | null;
  readonly until: number | null;
}

/** The compiled, immutable configuration. A request keeps the one it started with. */
export interface Snapshot {
  /** First 12 hex digits of the SHA-256 of the effective configuration. */
  readonly version: string;
  /** Absolute path of the file, or null for the built-in default. */
  readonly path: string | null;
  readonly gateway: {
    readonly listen: Address;
    /** Bytes. */
    readonly bodyLimit: number;
    readonly modelsOnly: boolean;
    /** null = plain HTTP. */
    readonly tls: TlsFiles | null;
  };
  readonly admin: {
    readonly listen: Address;
    readonly token: Secret | null;
    /** Keys the HMAC of issued keys; null or absent = generated into the data directory. */
    readonly pepper?: Secret | null;
  };
  readonly envoy: { readonly admin: Address; readonly binary: string; readonly concurrency: number };
  /** Absolute. Sockets, generated bootstrap, Envoy's log. */
  readonly runtimeDirectory: string;
  /** Absolute: the parent of the ledger directory. Holds ledger, Envoy's access log, the first-run key. */
  readonly dataDirectory: string;
  readonly ledger: { readonly directory: string; readonly syncMs: number };
  readonly records: {
    readonly kind: 'sqlite' | 'postgres';
    readonly content: boolean;
    /** Absolute path of the SQLite file. */
    readonly path?: string | null;
    /** Where Postgres is; holds a password. */
    readonly url?: Secret | null;
  };
  /** IANA name for calendar windows; absent = UTC. */
  readonly timeZone?: string;
  readonly providers: ReadonlyMap<string, ProviderAccount>;
  readonly models: ReadonlyMap<string, Model>;
  readonly keys: readonly FixedKey[];
  readonly prices: readonly PriceOverride[];
  /** Retry values for `provider/model` names that no configured model covers. */
  readonly defaults: { readonly retry: Retry };
}
