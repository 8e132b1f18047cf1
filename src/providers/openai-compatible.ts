import type { CloudIdentity } from '../config/credential-source.js';
import type { ProviderAccount } from '../config/snapshot.js';
import type { Wire } from '../dialects/endpoint.js';
import { withModel } from '../dialects/openai-realtime/endpoint.js';
import type { OutputCapField } from '../dialects/request-facts.js';
import type { RequestMend } from '../dialects/request-mend.js';
import type { CredentialHeader, ProviderKind, UpstreamCall } from './kind.js';

/** What every vendor must say; everything else has a default that fits most of them. */
export interface Vendor {
  readonly kind: string;
  readonly title: string;
  readonly baseUrl: string | null;
  readonly environment: readonly string[];
  readonly wires: readonly Wire[];
  readonly priceId: string | null;
  /** Default true: asking for usage is harmless where it comes anyway, and a miss would meter nothing. */
  readonly usageOnRequest?: boolean;
  readonly credential?: CredentialHeader | null;
  readonly identity?: CloudIdentity;
  readonly outputCapField?: OutputCapField;
  readonly path?: ProviderKind['path'];
  /** Wires that are mended by us: see `ProviderKind`. */
  readonly rewrites?: readonly Wire[];
  readonly echoesReasoning?: boolean;
  readonly mends?: readonly RequestMend[];
}

export const BEARER: CredentialHeader = { header: 'authorization', prefix: 'Bearer ' };

/** Every endpoint of OpenAI's API that carries a model. The model list is answered by Tollgate, not by a provider. */
export const ALL_WIRES: readonly Wire[] = [
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'openai-embeddings',
  'openai-moderations',
  'openai-images',
  'openai-speech',
  'openai-transcription',
];

/**
 * For vendors that may not know base64, which OpenAI's SDKs ask for by default: numbers are asked for and encoded by us. Those
 * that are known to honour it (OpenAI, Azure, vLLM, NVIDIA) are passed through.
 */
export const FLOATS_ONLY: readonly Wire[] = ['openai-embeddings'];

/** The base of all kinds that speak OpenAI's dialect: a vendor is the difference from it. */
export function openAiCompatible(vendor: Vendor): ProviderKind {
  return {
    kind: vendor.kind,
    title: vendor.title,
    baseUrl: vendor.baseUrl,
    environment: vendor.environment,
    credential: vendor.credential === undefined ? BEARER : vendor.credential,
    ...(vendor.identity === undefined ? {} : { identity: vendor.identity }),
    wires: new Set(vendor.wires),
    usageOnRequest: vendor.usageOnRequest ?? true,
    outputCapField: vendor.outputCapField ?? 'max_tokens',
    priceId: vendor.priceId,
    path: vendor.path ?? pathBelowBase,
    ...(vendor.rewrites === undefined ? {} : { rewrites: new Set(vendor.rewrites) }),
    ...(vendor.echoesReasoning === undefined ? {} : { echoesReasoning: vendor.echoesReasoning }),
    ...(vendor.mends === undefined ? {} : { mends: vendor.mends }),
  };
}

/** The path of `base_url` + the endpoint's: not every vendor has a `/v1`. */
export function pathBelowBase(account: ProviderAccount, call: UpstreamCall): string {
  const path = basePath(account) + call.endpoint.upstreamPath;
  // A session has no body in which its model could stand.
  return call.endpoint.wire === 'openai-realtime' ? withModel(path, call.model) : path;
}

/** The path of the account's `base_url` without a trailing slash; empty for a bare host. Parsed once per account. */
export function basePath(account: ProviderAccount): string {
  const known = basePaths.get(account);
  if (known !== undefined) return known;
  const path = new URL(account.baseUrl).pathname.replace(/\/+$/, '');
  basePaths.set(account, path);
  return path;
}

const basePaths = new WeakMap<ProviderAccount, string>();
