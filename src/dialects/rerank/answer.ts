import { isObject, type JsonObject } from '../json-value.js';
import type { RerankRequest } from './request.js';

/** Results in the provider's order, the best first, each with the client's own document where it asked for them. */
export function rerankResults(results: readonly unknown[], asked: RerankRequest): readonly JsonObject[] {
  return results.filter(isObject).map((result) => {
    const index = typeof result['index'] === 'number' ? result['index'] : 0;
    const document = asked.returnsDocuments ? asked.documents[index] : undefined;
    const score = typeof result['relevance_score'] === 'number' ? result['relevance_score'] : 0;
    return { index, relevance_score: score, ...(document === undefined ? {} : { document }) };
  });
}

/** Cohere's answer for a provider that bills tokens and not searches. */
export function rerankAnswer(results: readonly JsonObject[], members: { id: string; tokens: number }): JsonObject {
  const { id, tokens } = members;
  const units = { input_tokens: tokens };
  return { id, results, meta: { api_version: { version: '2' }, billed_units: units, tokens: units } };
}
