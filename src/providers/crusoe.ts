import { openAiCompatible } from './openai-compatible.js';

/** https://docs.crusoecloud.com/managed-inference/overview */
export const crusoe = openAiCompatible({
  kind: 'crusoe',
  title: 'Crusoe',
  baseUrl: 'https://api.inference.crusoecloud.com/v1',
  environment: ['CRUSOE_API_KEY'],
  wires: ['openai-chat'],
  priceId: null,
});
