import { openAiCompatible } from './openai-compatible.js';

/** Needs no credential unless started with `--api-key`. */
export const vllm = openAiCompatible({
  kind: 'vllm',
  title: 'vLLM',
  baseUrl: 'http://127.0.0.1:8000/v1',
  environment: [],
  wires: ['openai-chat', 'openai-completions', 'openai-responses', 'openai-embeddings', 'openai-transcription'],
  priceId: null,
});
