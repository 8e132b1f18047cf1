import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

/** Needs no credential; one is sent as Bearer if configured (ollama.com, a proxy in front). */
export const ollama = openAiCompatible({
  kind: 'ollama',
  title: 'Ollama',
  baseUrl: 'http://127.0.0.1:11434/v1',
  environment: [],
  wires: ['openai-chat', 'openai-completions', 'openai-responses', 'openai-embeddings'],
  priceId: null,
  rewrites: FLOATS_ONLY,
});
