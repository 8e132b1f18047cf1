import { ALL_WIRES, openAiCompatible } from './openai-compatible.js';

export const openai = openAiCompatible({
  kind: 'openai',
  title: 'OpenAI',
  baseUrl: 'https://api.openai.com/v1',
  environment: ['OPENAI_API_KEY'],
  wires: [...ALL_WIRES, 'openai-realtime'],
  outputCapField: 'max_completion_tokens',
  priceId: 'openai',
});
