import type { ProviderAccount } from '../config/snapshot.js';
import type { UpstreamCall } from './kind.js';
import { basePath, openAiCompatible } from './openai-compatible.js';

/**
 * Embeddings and rerank in Cohere's own dialect; chat by its compatibility endpoint, which lies beside `/v2` on the same host.
 * https://docs.cohere.com/docs/compatibility-api
 */
export const cohere = openAiCompatible({
  kind: 'cohere',
  title: 'Cohere',
  baseUrl: 'https://api.cohere.com/v2',
  environment: ['COHERE_API_KEY', 'CO_API_KEY'],
  wires: ['openai-chat', 'cohere-embed', 'rerank'],
  priceId: 'cohere',
  rewrites: ['rerank'],
  path: pathByWire,
});

function pathByWire(account: ProviderAccount, { endpoint }: UpstreamCall): string {
  const base = basePath(account);
  if (endpoint.wire === 'cohere-embed') return `${base}/embed`;
  if (endpoint.wire === 'rerank') return `${base}/rerank`;
  return `${base.replace(/\/v2$/, '')}/compatibility/v1${endpoint.upstreamPath}`;
}
