import type { Secret } from '../observability/secret.js';
import type { BringYourOwn, Credential } from './credential-source.js';
import type { LimitRule, RouteRule } from './limit-rules.js';
import type { Alerts, Billing, Discount, Exporter, JwtIssuer, Retention, StoreSettings } from './money-rules.js';

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
  /** Milliseconds between two active health probes (a list of models, never a paid call); null = none. */
  readonly probeMs: number | null;
  /** AWS region, for `bedrock`. */
  readonly region?: string | null;
  /** Google Cloud project and location, for `vertex`. */
  readonly project?: string | null;
  readonly location?: string | null;
  /** May an app send a key of its own for this provider? Absent = `off`. */
  readonly bringYourOwn?: BringYourOwn;
  /** May keys name what the provider stores for the account, whosever it is? Absent = `refuse`. */
  readonly storedObjects?: 'refuse' | 'shared';
}

/** `provider/model`, split at the first slash. */
export interface Target {
  /** `provider/model` as one string: the name in records, headers and prices. */
  readonly name: string;
  readonly provider: string;
  readonly model: string;
}

/** A target in the list of a configured model. */
export interface ModelTarget extends Target {
  /** Share of the requests under `balance: weighted`; 0 = only when the others fail. At least one is above 0. */
  readonly weight: number;
  /** Tokens of input and output together that the model takes; null = not configured, ask the catalogue. */
  readonly contextWindow: number | null;
  /** The model's, with this target's own clocks and reasons. `attempts` and `totalMs` are always the model's. */
  readonly retry: Retry;
}

/** What makes the next target worth a try. A class that is false is answered to the client as it is. */
export interface RetryOn {
  /** Response statuses, 400 to 599. A 401 or 403 is also covered by `auth`. */
  readonly statuses: ReadonlySet<number>;
  /** Refused, unresolvable, TLS not agreed: the request was not sent. */
  readonly connect: boolean;
  /** The connection broke before the answer's headers, or before a stream's first token. */
  readonly reset: boolean;
  /** No response headers within `responseMs`; in a stream within `firstTokenMs`. */
  readonly timeout: boolean;
  /** A stream with headers, but without a first token within `firstTokenMs`. */
  readonly firstToken: boolean;
  /** An error inside a 200, before the first token. */
  readonly errorEvent: boolean;
  /** A stream that ends before its first token. */
  readonly empty: boolean;
  /** The provider refuses its own credential: 401, 403, or a body that says so. */
  readonly auth: boolean;
  /** The input is too long for this target: only targets with a larger window are tried. */
  readonly contextLength: boolean;
  /** The provider's filter refuses the content. */
  readonly contentFilter: boolean;
}

export interface Retry {
  /** Tries in all, the first included; null = max(2, number of targets). */
  readonly attempts: number | null;
  readonly on: RetryOn;
  /** Milliseconds for the response headers of one non-stream attempt. */
  readonly responseMs: number;
  /**
   * Milliseconds for the first token, response headers included, of one streamed attempt. null = `first_token: off`:
   * no look into the first bytes; the headers of a stream are then bounded by `responseMs`.
   */
  readonly firstTokenMs: number | null;
  /** Milliseconds of silence after the first token that cut a stream, 0 = no bound. */
  readonly stallMs: number;
  /** Milliseconds for everything, all attempts and the stream included, 0 = no bound. */
  readonly totalMs: number;
}

/** How the first target of a request is picked; the others follow as its fallbacks. */
export type Balance = 'ordered' | 'weighted' | 'least_latency';

/** A name that apps ask for. */
export interface Model {
  readonly name: string;
  /** In the order of configuration; at least one. */
  readonly targets: readonly ModelTarget[];
  readonly balance: Balance;
  readonly retry: Retry;
  /**
   * Most extra attempts, as a share of the requests over a window: 0.2 = 20 %. null = `retry_budget: off`:
   * no bound (not Infinity, whose product with 0 requests is NaN).
   */
  readonly retryBudget: number | null;
  readonly allowUnpriced: boolean;
  /** A request field that the target cannot express is a 400, never dropped with a warning. Absent = false. */
  readonly strict?: boolean;
  /** Output tokens of one choice that a hold reckons with, and that are asked for where a hard cost limit needs a bound. */
  readonly outputCap: number;
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
  /** Free text of the operator's own; never interpreted. */
  readonly metadata: Readonly<Record<string, string>>;
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
  /** Audio in and out, images in, reasoning: as the wider class where not set. */
  readonly inputAudio: number | null;
  readonly outputAudio: number | null;
  readonly inputImage: number | null;
  readonly reasoning: number | null;
  /** Dollars for each request, on top of tokens. */
  readonly request: number;
  /** Dollars for each billable unit that is no token: an image made, a search. */
  readonly unit: number;
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
    /** Service processes; absent = 1. */
    readonly workers?: number;
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
  /** IANA name for calendar windows. */
  readonly timeZone: string;
  readonly store: StoreSettings;
  readonly routes: readonly RouteRule[];
  readonly limits: readonly LimitRule[];
  readonly jwt: readonly JwtIssuer[];
  readonly discounts: readonly Discount[];
  /** null = nobody is charged. */
  readonly billing: Billing | null;
  readonly exporters: readonly Exporter[];
  readonly alerts: Alerts | null;
  readonly retention: Retention;
  readonly providers: ReadonlyMap<string, ProviderAccount>;
  readonly models: ReadonlyMap<string, Model>;
  readonly keys: readonly FixedKey[];
  readonly prices: readonly PriceOverride[];
  /** Values for `provider/model` names that no configured model covers. */
  readonly defaults: { readonly retry: Retry; readonly retryBudget: number | null; readonly outputCap: number };
}
