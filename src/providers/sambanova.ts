import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

export const sambanova = openAiCompatible({
  kind: 'sambanova',
  title: 'SambaNova',
  baseUrl: 'https://api.sambanova.ai/v1',
  environment: ['SAMBANOVA_API_KEY'],
  wires: ['openai-chat', 'openai-embeddings', 'openai-transcription'],
  priceId: null,
  rewrites: FLOATS_ONLY,
});
