import { embeddingsPair } from '../embeddings-pair.js';
import { BEDROCK_MEMBERS, toBedrock } from './request.js';
import { fromBedrock } from './response.js';

/** OpenAI's embeddings by `InvokeModel` of AWS Bedrock. */
export const embeddingsToBedrock = embeddingsPair({
  wire: 'bedrock-embed',
  own: BEDROCK_MEMBERS,
  body: toBedrock,
  answer: fromBedrock,
});
