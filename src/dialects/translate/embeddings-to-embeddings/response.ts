import { isObject, type JsonObject, listIn, objectIn } from '../../json-value.js';
import { embeddingsUsage } from '../../openai-embeddings/answer.js';
import type { VectorEncoding } from '../../openai-embeddings/request.js';
import { encodeVector, vectorOf } from '../../openai-embeddings/vector.js';
import { statedAmount } from '../../stated-amount.js';
import type { TranslationContext } from '../translation.js';

/** The provider's answer with its vectors in the form that the client asked for, and with usage. */
export function encoded(body: JsonObject, encoding: VectorEncoding, context: TranslationContext): JsonObject {
  const data = listIn(body, 'data').map((item, index) => {
    const members = isObject(item) ? item : {};
    const embedding = encodeVector(vectorOf(members['embedding']), encoding);
    return { object: 'embedding', index, ...members, embedding };
  });
  return { object: 'list', model: context.model, ...body, data, usage: usageOf(body, context) };
}

/** Some state only a total. */
function usageOf(body: JsonObject, context: TranslationContext): JsonObject {
  const usage = objectIn(body, 'usage');
  if (usage === null) return embeddingsUsage(context.inputTokens);
  const tokens = statedAmount(usage, 'prompt_tokens') ?? statedAmount(usage, 'total_tokens') ?? context.inputTokens;
  return { ...embeddingsUsage(tokens), ...usage };
}
