import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

export const together = openAiCompatible({
  kind: 'together',
  title: 'Together AI',
  baseUrl: 'https://api.together.xyz/v1',
  environment: ['TOGETHER_API_KEY'],
  wires: [
    'openai-chat',
    'openai-completions',
    'openai-embeddings',
    'openai-images',
    'openai-speech',
    'openai-transcription',
  ],
  priceId: 'together',
  rewrites: FLOATS_ONLY,
});
