import { type Answerer, jsonAnswer } from '../answer.js';
import { googleError } from '../errors.js';
import { isObject } from '../json.js';
import { problemOf, promptOf } from './request.js';

/** `:countTokens`, of contents alone or of a whole request: exactly what `generateContent` will state. */
export const countGeminiTokens: Answerer = (request) => {
  const inner = request.body['generateContentRequest'];
  const body = isObject(inner) ? inner : request.body;
  const problem = problemOf(body);
  if (problem !== null) return googleError(problem);
  const totalTokens = promptOf(body).inputTokens;
  return jsonAnswer({ totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] });
};
