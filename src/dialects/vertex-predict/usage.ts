import { geminiEmbedUsage } from '../gemini-embed/usage.js';
import { type JsonObject, listIn, objectIn, stringIn } from '../json-value.js';
import { statedAmount } from '../stated-amount.js';
import { emptyUsage, type Usage } from '../usage.js';

/**
 * `:predict` on Vertex: tokens of every text (`predictions[].embeddings.statistics`), or the images that were made; an answer of
 * `:embedContent`, which newer embedding models are asked by, has `usageMetadata`.
 */
export function vertexPredictUsage(body: JsonObject): Usage | null {
  const tokens = predictedTokens(body);
  if (tokens !== null) return { ...emptyUsage(), input: tokens };
  const images = listIn(body, 'predictions').filter((each) => stringIn(each, 'bytesBase64Encoded') !== null).length;
  return images > 0 ? { ...emptyUsage(), images } : geminiEmbedUsage(body);
}

/** null when no prediction states any. */
export function predictedTokens(body: JsonObject): number | null {
  let sum: number | null = null;
  for (const prediction of listIn(body, 'predictions')) {
    const tokens = statedAmount(objectIn(objectIn(prediction, 'embeddings'), 'statistics'), 'token_count');
    if (tokens !== null) sum = (sum ?? 0) + tokens;
  }
  return sum;
}
