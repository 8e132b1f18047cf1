import type { ProviderAccount } from '../config/snapshot.js';
import type { UpstreamCall } from './kind.js';
import { basePath, openAiCompatible } from './openai-compatible.js';

/** Embeddings and rerank, each close to another's dialect and strict about its own names. https://docs.voyageai.com/reference */
export const voyage = openAiCompatible({
  kind: 'voyage',
  title: 'Voyage AI',
  baseUrl: 'https://api.voyageai.com/v1',
  environment: ['VOYAGE_API_KEY'],
  wires: ['voyage-embed', 'voyage-rerank'],
  priceId: 'voyageai',
  path: pathByWire,
});

function pathByWire(account: ProviderAccount, { endpoint }: UpstreamCall): string {
  return basePath(account) + (endpoint.wire === 'voyage-rerank' ? '/rerank' : '/embeddings');
}
