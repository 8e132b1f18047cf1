import type { CloudIdentity, PlaceSetting } from '../config/credential-source.js';
import type { ProviderAccount } from '../config/snapshot.js';
import type { Endpoint, Wire } from '../dialects/endpoint.js';
import type { JsonObject } from '../dialects/json-value.js';
import type { OutputCapField } from '../dialects/request-facts.js';
import type { RequestMend } from '../dialects/request-mend.js';

/** What a vendor is, as data: everything a request needs to know to be sent there. One small object per vendor. */
export interface ProviderKind {
  /** The value of `kind` in the config. */
  readonly kind: string;
  /** Name for people: `Kimi (Moonshot AI)`. */
  readonly title: string;
  /** Used when the config gives no `base_url`, with `{region}` or `{location}` filled in; null = the config must. */
  readonly baseUrl: string | null;
  /** Base URLs of regions or locations that do not follow `baseUrl`: Vertex AI's `global`. */
  readonly baseUrlAt?: Readonly<Record<string, string>>;
  /** What the account must say besides, in this order. */
  readonly needs?: readonly PlaceSetting[];
  /** The cloud whose identities may stand for a key: signatures for `aws`, bearer tokens for the others. */
  readonly identity?: CloudIdentity;
  /** Environment variables that may hold the credential, first set one wins. Empty = needs none. */
  readonly environment: readonly string[];
  /** How the credential travels. */
  readonly credential: CredentialHeader | null;
  /** Endpoints (by wire) that the vendor serves; anything else is 400 `unsupported_endpoint`. */
  readonly wires: ReadonlySet<Wire>;
  /** Wires that the vendor serves not quite as the dialect says; a translation of the wire to itself mends that. */
  readonly rewrites?: ReadonlySet<Wire>;
  /** The vendor's chat completions want earlier thoughts back as `reasoning_content`. */
  readonly echoesReasoning?: boolean;
  /** What the vendor would refuse in a request that another one takes. */
  readonly mends?: readonly RequestMend[];
  /** True when a stream carries usage only if `stream_options.include_usage` is sent. */
  readonly usageOnRequest: boolean;
  /** The name under which chat completions bound their output; absent = `max_tokens`, which most vendors know. */
  readonly outputCapField?: OutputCapField;
  /** The provider's id in the price catalogue; null = never listed there. */
  readonly priceId: string | null;
  /** Query of `GET /models`, so that one page of the list holds all: `?limit=1000`. */
  readonly listQuery?: string;
  /** Absolute path with query, on the origin of `base_url`. */
  path(account: ProviderAccount, call: UpstreamCall): string;
  /** Whether this model is asked in this wire (one of `wires`); absent = every model in all of them. */
  serves?(wire: Wire, model: string): boolean;
  /** What the JSON body must have, or must not have, whoever wrote it; absent or null = nothing. `sent`: see `callHeaders`. */
  envelope?(call: UpstreamCall, sent: (name: string) => string): Envelope | null;
  /**
   * Headers that every call needs, lower-case names; an empty value takes the client's own away. `sent` gives the client's
   * own header, '' when it sent none.
   */
  callHeaders?(call: UpstreamCall, sent: (name: string) => string): Readonly<Record<string, string>>;
}

/** One call to a provider: in which dialect, for which model. */
export interface UpstreamCall {
  /** The client's where it is passed on as it is, else the usual one of the wire that was chosen. */
  readonly endpoint: Endpoint;
  readonly model: string;
  readonly stream: boolean;
}

/** Members of the body's top level that belong to the vendor's way of asking, not to the dialect. */
export interface Envelope {
  readonly set: JsonObject;
  readonly remove: readonly string[];
}

export interface CredentialHeader {
  /** Lower case: `authorization`, `api-key`, `x-api-key`. */
  readonly header: string;
  /** Put before the secret: `Bearer ` or empty. */
  readonly prefix: string;
}
