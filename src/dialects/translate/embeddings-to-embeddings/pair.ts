import { encodingOf, type VectorEncoding } from '../../openai-embeddings/request.js';
import { translationPair } from '../translation-pair.js';
import { unaryAnswer } from '../unary-answer.js';
import { withoutEncoding } from './request.js';
import { encoded } from './response.js';

/**
 * For providers that speak OpenAI's dialect but do not know base64, which OpenAI's SDKs ask for by default and then decode
 * whatever comes: a list of numbers read as base64 is a vector of noise, a quarter as long (openai-python#1490).
 */
export const embeddingsToEmbeddings = translationPair<VectorEncoding>({
  from: 'openai-embeddings',
  to: 'openai-embeddings',
  needed: (request) => request['encoding_format'] === 'base64',
  write(request, context) {
    const memory = encodingOf(request, context.losses);
    return { body: withoutEncoding(request, context), memory };
  },
  read: (encoding, context) => unaryAnswer((body) => encoded(body, encoding, context)),
});
