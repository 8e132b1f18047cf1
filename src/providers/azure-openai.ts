import type { ProviderAccount } from '../config/snapshot.js';
import type { UpstreamCall } from './kind.js';
import { basePath, openAiCompatible, pathBelowBase } from './openai-compatible.js';

/**
 * Two generations of paths, told apart by `apiVersion`:
 * null → `base_url` ends in `/openai/v1` and the deployment is the body's `model`;
 * set → `base_url` is the bare host and the deployment is in the path.
 * https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 */
export const azureOpenai = openAiCompatible({
  kind: 'azure-openai',
  title: 'Azure OpenAI',
  baseUrl: null,
  environment: ['AZURE_OPENAI_API_KEY'],
  wires: [
    'openai-chat',
    'openai-completions',
    'openai-responses',
    'openai-embeddings',
    'openai-images',
    'openai-speech',
    'openai-transcription',
    'openai-realtime',
  ],
  outputCapField: 'max_completion_tokens',
  priceId: 'azure',
  credential: { header: 'api-key', prefix: '' },
  identity: 'azure',
  path: azurePath,
});

function azurePath(account: ProviderAccount, call: UpstreamCall): string {
  const { endpoint, model } = call;
  const base = basePath(account);
  if (account.apiVersion === null) return pathBelowBase(account, call);
  const query = `?api-version=${encodeURIComponent(account.apiVersion)}`;
  const root = base.endsWith('/openai') ? base : `${base}/openai`;
  if (endpoint.wire === 'openai-realtime') {
    return `${root}${endpoint.upstreamPath}${query}&deployment=${encodeURIComponent(model)}`;
  }
  // Responses came after deployments in paths: there the deployment is the body's `model` in both generations.
  if (endpoint.wire === 'openai-responses') return root + endpoint.upstreamPath + query;
  return `${root}/deployments/${pathSegment(model)}${endpoint.upstreamPath}${query}`;
}

/** One segment, whatever the client asked for: a model named `..` must not climb out of `/deployments`. */
function pathSegment(model: string): string {
  return /^\.{1,2}$/.test(model)
    ? model.replaceAll('.', '%252E')
    : encodeURIComponent(model.replace(/\p{Cs}/gu, '\ufffd'));
}
