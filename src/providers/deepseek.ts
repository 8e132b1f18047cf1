import { openAiCompatible } from './openai-compatible.js';

/** https://api-docs.deepseek.com: paths are given without `/v1`; fill-in-the-middle is only on its beta host path. */
export const deepseek = openAiCompatible({
  kind: 'deepseek',
  title: 'DeepSeek',
  baseUrl: 'https://api.deepseek.com',
  environment: ['DEEPSEEK_API_KEY'],
  wires: ['openai-chat', 'openai-responses'],
  priceId: 'deepseek',
  echoesReasoning: true,
});
