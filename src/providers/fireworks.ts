import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

/** Audio lives on other hosts: configure those as `openai-compatible`. */
export const fireworks = openAiCompatible({
  kind: 'fireworks',
  title: 'Fireworks AI',
  baseUrl: 'https://api.fireworks.ai/inference/v1',
  environment: ['FIREWORKS_API_KEY'],
  wires: ['openai-chat', 'openai-completions', 'openai-responses', 'openai-embeddings'],
  priceId: 'fireworks',
  rewrites: FLOATS_ONLY,
});
