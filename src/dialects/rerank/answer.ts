import { isObject, type JsonObject } from '../json-value.js';
import type { RerankRequest } from './request.js';

/** What an answer must know of its request. */
export interface RerankMemory {
  /** By index; empty where the client wants none back. */
  readonly documents: readonly JsonObject[];
}

export function rerankMemory({ returnsDocuments, documents }: RerankRequest): RerankMemory {
  return { documents: returnsDocuments ? documents : [] };
}

/** Results in the provider's order, the best first, each with the client's own document where it asked for them. */
export function rerankResults(results: readonly unknown[], asked: RerankMemory): readonly JsonObject[] {
  return results.filter(isObject).map((result) => {
    const index = typeof result['index'] === 'number' ? result['index'] : 0;
    const document = asked.documents[index];
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
