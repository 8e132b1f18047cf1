import { countTokens } from '../../codec/word-pieces.js';
import { type Answerer, jsonAnswer, type MockRequest } from '../answer.js';
import { badRequest, cohereError, openaiError } from '../errors.js';
import { countOr, type JsonObject, listOr, textOr } from '../json.js';

interface Scored {
  readonly index: number;
  readonly relevance_score: number;
}

/** `POST /v2/rerank`. https://docs.cohere.com/reference/rerank: documents are texts, and a search is 100 of them. */
export const cohereRerank: Answerer = (request) => {
  const { body } = request;
  const problem = problemOf(body);
  if (problem !== null) return cohereError(badRequest(problem));
  const billed = { search_units: Math.ceil(listOr(body['documents']).length / 100) };
  const meta = { api_version: { version: '2' }, billed_units: billed };
  const results = best(scored(body), body['top_n']);
  return jsonAnswer({ id: request.id, results, ...(request.behaviour.usage ? { meta } : {}) });
};

/** `POST /v1/rerank` of Jina AI, and of Voyage AI where the request has one of its own members. Both bill tokens. */
export const tokenRerank: Answerer = (request) => {
  const { body, model } = request;
  const problem = problemOf(body);
  if (problem !== null) return openaiError(badRequest(problem));
  const usage = request.behaviour.usage ? { usage: { total_tokens: tokensOf(request) } } : {};
  const voyage = 'top_k' in body || 'truncation' in body;
  if (voyage) return jsonAnswer({ object: 'list', data: best(scored(body), body['top_k']), model, ...usage });
  const documents = listOr(body['documents']);
  const results = best(scored(body), body['top_n']).map((each) =>
    body['return_documents'] === false ? each : { ...each, document: { text: documents[each.index] } },
  );
  return jsonAnswer({ model, object: 'list', results, ...usage });
};

function problemOf(body: JsonObject): string | null {
  if (typeof body['query'] !== 'string') return 'invalid request: query must be a string';
  const documents = listOr(body['documents']);
  if (documents.length === 0) return 'invalid request: list of documents must not be empty';
  return documents.every((each) => typeof each === 'string')
    ? null
    : 'invalid type: parameter documents must be strings';
}

/** The share of the query's words that a document has. */
function scored(body: JsonObject): readonly Scored[] {
  const words = new Set(wordsOf(textOr(body['query'])));
  return listOr(body['documents']).map((document, index) => {
    const shared = new Set(wordsOf(textOr(document)).filter((word) => words.has(word)));
    return { index, relevance_score: Math.round((shared.size / Math.max(1, words.size)) * 1000) / 1000 };
  });
}

function best(results: readonly Scored[], most: unknown): readonly Scored[] {
  const sorted = results.toSorted((a, b) => b.relevance_score - a.relevance_score || a.index - b.index);
  return sorted.slice(0, countOr(most, results.length, results.length));
}

function tokensOf({ body }: MockRequest): number {
  const query = countTokens(textOr(body['query']));
  return listOr(body['documents']).reduce<number>((sum, each) => sum + query + countTokens(textOr(each)), 0);
}

function wordsOf(text: string): readonly string[] {
  return (
    text
      .slice(0, 10_000)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}
