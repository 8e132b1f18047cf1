import { encodingOf } from '../../openai-embeddings/request.js';
import type { Translation } from '../translation.js';
import { unaryCall } from '../unary-call.js';
import { withoutEncoding } from './request.js';
import { encoded } from './response.js';

/**
 * For providers that speak OpenAI's dialect but do not know base64, which OpenAI's SDKs ask for by default and then decode
 * whatever comes: a list of numbers read as base64 is a vector of noise, a quarter as long (openai-python#1490).
 */
export const embeddingsToEmbeddings: Translation = {
  from: 'openai-embeddings',
  to: 'openai-embeddings',
  needed: (request) => request['encoding_format'] === 'base64',
  prepare(request, context) {
    const encoding = encodingOf(request, context.losses);
    return unaryCall(withoutEncoding(request, context), (body) => encoded(body, encoding, context));
  },
};
