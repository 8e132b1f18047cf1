import { openAiCompatible } from './openai-compatible.js';

export const nvidia = openAiCompatible({
  kind: 'nvidia',
  title: 'NVIDIA NIM',
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  environment: ['NVIDIA_API_KEY'],
  wires: ['openai-chat', 'openai-completions', 'openai-embeddings'],
  priceId: null,
});
