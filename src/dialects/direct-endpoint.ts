import type { Endpoint } from './endpoint.js';
import { googleEndpoint } from './gemini/google-endpoint.js';

const DIRECT = /^\/providers\/([a-z0-9][a-z0-9._-]*)(\/[^#]*)?$/;

/** Ends of paths by which a provider's dialect is recognised below any base: `/openai/v1/chat/completions`. */
const ENDS: readonly string[] = [
  '/chat/completions',
  '/messages/count_tokens',
  '/messages',
  '/completions',
  '/responses',
  '/embeddings',
  '/moderations',
  '/images/generations',
  '/audio/speech',
  '/rerank',
];
const GOOGLE_PATH =
  /\/(?:v1|v1beta|v1alpha)\/(?:projects\/.+\/publishers\/google\/)?(models\/[^/?#]+:[A-Za-z]+(?:\?[^#]*)?)$/;
const BEDROCK_PATH = /\/model\/([^/?#]+)\/(converse|converse-stream)$/;

/**
 * The paths below `/providers/` whose dialect is recognised, as one regular expression over the whole path without its
 * query (RE2 knows it too). What does not fit is bytes.
 */
export const RECOGNISED_PATH = `/providers/[^/]+(?:/.*)?(?:${[
  ...ENDS,
  '/(?:v1|v1beta|v1alpha)/(?:projects/.+/publishers/google/)?models/[^/]+:[A-Za-z]+',
  '/model/[^/]+/converse(?:-stream)?',
].join('|')})`;

/**
 * `/providers/{provider}/rest`: the provider's own API behind our key, limits and ledger. Where the end of the path tells the
 * dialect, usage is read; everything else is bytes.
 * @param known the endpoint of a path under `/v1`
 */
export function directEndpoint(
  method: string,
  path: string,
  known: (path: string) => Endpoint | null,
): Endpoint | null {
  const [, provider, rest = '/'] = DIRECT.exec(path) ?? [];
  if (provider === undefined) return null;
  const direct = { provider, path: rest };
  const found = method === 'POST' ? recognised(rest, known) : null;
  const shared = { path: `/providers/${provider}`, method, direct, upstreamPath: '' };
  if (found === null) return { ...shared, wire: 'raw', errors: 'openai', body: 'any' };
  return { ...found, ...shared };
}

function recognised(rest: string, known: (path: string) => Endpoint | null): Endpoint | null {
  const google = GOOGLE_PATH.exec(rest)?.[1];
  if (google !== undefined) return googleEndpoint(`/v1beta/${google}`);
  const bare = rest.split('?', 1)[0] ?? '';
  const [, model, verb] = BEDROCK_PATH.exec(bare) ?? [];
  if (model !== undefined) {
    const named = { model: safely(model), stream: verb === 'converse-stream', sse: false };
    return {
      path: '',
      method: 'POST',
      wire: 'bedrock-converse',
      errors: 'openai',
      body: 'json',
      upstreamPath: '',
      named,
    };
  }
  const end = ENDS.find((each) => bare.endsWith(each));
  return end === undefined ? null : known(`/v1${end}`);
}

function safely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
