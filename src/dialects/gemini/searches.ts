import { type JsonObject, listIn, objectIn } from '../json-value.js';
import { modelVersion } from './model-version.js';

/**
 * Counts what grounding with Google Search is billed by: each query that is not empty or repeated from Gemini 3 on, before it the
 * answer that was grounded, once. https://ai.google.dev/gemini-api/docs/google-search#pricing
 */
export class SearchCounter {
  readonly #queries = new Set<string>();

  /** @param candidate one of `candidates` */
  take(candidate: JsonObject): void {
    const grounding = objectIn(candidate, 'groundingMetadata');
    for (const list of ['webSearchQueries', 'imageSearchQueries']) {
      for (const query of listIn(grounding, list)) if (typeof query === 'string' && query !== '') this.#add(query);
    }
  }

  /** @param model as the answer names it */
  units(model: string | null): number {
    const { size } = this.#queries;
    return model !== null && modelVersion(model) < 3 ? Math.min(size, 1) : size;
  }

  #add(query: string) {
    if (this.#queries.size < MAX_QUERIES) this.#queries.add(query.slice(0, MAX_QUERY));
  }
}

const MAX_QUERIES = 1000;
const MAX_QUERY = 1000;
