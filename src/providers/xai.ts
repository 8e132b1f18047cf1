import { openAiCompatible } from './openai-compatible.js';

export const xai = openAiCompatible({
  kind: 'xai',
  title: 'xAI (Grok)',
  baseUrl: 'https://api.x.ai/v1',
  environment: ['XAI_API_KEY'],
  wires: ['openai-chat', 'openai-responses', 'openai-images', 'openai-realtime'],
  priceId: 'x-ai',
});
