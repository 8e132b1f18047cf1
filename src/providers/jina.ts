import type { ProviderAccount } from '../config/snapshot.js';
import type { UpstreamCall } from './kind.js';
import { basePath, FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

/** Embeddings as OpenAI's, but for the format; rerank in its own dialect, which is close to Cohere's. https://api.jina.ai/redoc */
export const jina = openAiCompatible({
  kind: 'jina',
  title: 'Jina AI',
  baseUrl: 'https://api.jina.ai/v1',
  environment: ['JINA_API_KEY'],
  wires: ['openai-embeddings', 'jina-rerank'],
  priceId: null,
  rewrites: FLOATS_ONLY,
  path: pathByWire,
});

function pathByWire(account: ProviderAccount, { endpoint }: UpstreamCall): string {
  return basePath(account) + (endpoint.wire === 'jina-rerank' ? '/rerank' : endpoint.upstreamPath);
}
