import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

/**
 * No `/v1`. `GITHUB_TOKEN` is left alone on purpose: it is set on many machines for other things, and a provider must not
 * appear because of it.
 */
export const github = openAiCompatible({
  kind: 'github',
  title: 'GitHub Models',
  baseUrl: 'https://models.github.ai/inference',
  environment: ['GITHUB_MODELS_TOKEN'],
  wires: ['openai-chat', 'openai-embeddings'],
  priceId: null,
  rewrites: FLOATS_ONLY,
});
