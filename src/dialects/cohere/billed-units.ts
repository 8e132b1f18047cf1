import { type JsonObject, objectIn } from '../json-value.js';
import { statedAmount } from '../stated-amount.js';
import { emptyUsage, type Usage } from '../usage.js';

/**
 * `meta.billed_units` of Cohere's embed and rerank: tokens, or searches (one for each 100 documents of a rerank). `meta.tokens`
 * counts what was processed and is not what is billed. https://docs.cohere.com/reference/rerank
 */
export function billedUnits(body: JsonObject): Usage | null {
  const billed = objectIn(objectIn(body, 'meta'), 'billed_units');
  const input = statedAmount(billed, 'input_tokens');
  const image = statedAmount(billed, 'image_tokens');
  const searches = statedAmount(billed, 'search_units');
  if (input === null && image === null && searches === null) return null;
  return { ...emptyUsage(), input: input ?? 0, input_image: image ?? 0, search_units: searches ?? 0 };
}
