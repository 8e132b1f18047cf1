import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

export const openrouter = openAiCompatible({
  kind: 'openrouter',
  title: 'OpenRouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  environment: ['OPENROUTER_API_KEY'],
  wires: ['openai-chat', 'openai-completions', 'openai-responses', 'openai-embeddings'],
  priceId: 'openrouter',
  rewrites: FLOATS_ONLY,
});
