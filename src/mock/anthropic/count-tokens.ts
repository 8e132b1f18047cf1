import { type Answerer, jsonAnswer } from '../answer.js';
import { anthropicError } from '../errors.js';
import { problemOf, promptOf } from './request.js';

/** `POST /v1/messages/count_tokens`: exactly what `messages` will state. */
export const countMessageTokens: Answerer = (request) => {
  const problem = problemOf(request.body, false);
  if (problem !== null) return anthropicError(problem);
  return jsonAnswer({ input_tokens: promptOf(request.body).inputTokens });
};
