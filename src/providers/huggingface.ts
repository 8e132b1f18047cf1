import { openAiCompatible } from './openai-compatible.js';

/** A router: the price depends on who serves, so the catalogue has no single entry for it. */
export const huggingface = openAiCompatible({
  kind: 'huggingface',
  title: 'Hugging Face Inference Providers',
  baseUrl: 'https://router.huggingface.co/v1',
  environment: ['HF_TOKEN', 'HUGGINGFACE_API_KEY'],
  wires: ['openai-chat', 'openai-responses'],
  priceId: null,
});
