import { shortToolIds } from '../dialects/openai-chat/short-tool-ids.js';
import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

/** The finish chunk always carries usage; `stream_options` is not part of its API. https://docs.mistral.ai/api */
export const mistral = openAiCompatible({
  kind: 'mistral',
  title: 'Mistral AI',
  baseUrl: 'https://api.mistral.ai/v1',
  environment: ['MISTRAL_API_KEY'],
  wires: ['openai-chat', 'openai-embeddings', 'openai-moderations', 'openai-transcription'],
  priceId: 'mistral',
  rewrites: FLOATS_ONLY,
  usageOnRequest: false,
  mends: [shortToolIds],
});
