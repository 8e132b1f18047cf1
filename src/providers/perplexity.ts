import { openAiCompatible } from './openai-compatible.js';

/** No `/v1`. Every chunk carries cumulative usage, asked or not. */
export const perplexity = openAiCompatible({
  kind: 'perplexity',
  title: 'Perplexity',
  baseUrl: 'https://api.perplexity.ai',
  environment: ['PERPLEXITY_API_KEY', 'PPLX_API_KEY'],
  wires: ['openai-chat'],
  priceId: 'perplexity',
  usageOnRequest: false,
});
