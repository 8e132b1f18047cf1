import { ALL_WIRES, FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

/** Any server that speaks OpenAI's dialect. What it does not serve, it says itself. */
export const generic = openAiCompatible({
  kind: 'openai-compatible',
  title: 'OpenAI-compatible server',
  baseUrl: null,
  environment: [],
  wires: [...ALL_WIRES, 'openai-realtime'],
  priceId: null,
  rewrites: FLOATS_ONLY,
});
