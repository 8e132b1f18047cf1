import { openAiCompatible } from './openai-compatible.js';

export const cerebras = openAiCompatible({
  kind: 'cerebras',
  title: 'Cerebras',
  baseUrl: 'https://api.cerebras.ai/v1',
  environment: ['CEREBRAS_API_KEY'],
  wires: ['openai-chat', 'openai-completions'],
  priceId: 'cerebras',
});
