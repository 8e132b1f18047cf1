import { countTokens } from '../../codec/word-pieces.js';
import { type Answerer, jsonAnswer } from '../answer.js';
import { DIMENSIONS, vectorOf } from '../embeddings.js';
import { badRequest, cohereError } from '../errors.js';
import { countOr, type JsonObject, listOr, textOr } from '../json.js';

/** `POST /v2/embed`. https://docs.cohere.com/reference/embed */
export const cohereEmbed: Answerer = (request) => {
  const { body } = request;
  const texts = textsOf(body);
  if (texts.length === 0) return cohereError(badRequest('invalid request: valid texts must be provided'));
  if (texts.length > 96) return cohereError(badRequest('invalid request: total number of texts must be at most 96'));
  if (textOr(body['input_type']) === '') return cohereError(badRequest('invalid request: input_type is required'));
  const dimensions = countOr(body['output_dimension'], DIMENSIONS, 4096);
  const float = texts.map((text) => [...vectorOf(text, dimensions)]);
  const input = texts.reduce((sum, text) => sum + countTokens(text), 0);
  const meta = { api_version: { version: '2' }, billed_units: { input_tokens: input } };
  const usage = request.behaviour.usage ? { meta } : {};
  return jsonAnswer({ id: request.id, embeddings: { float }, texts, ...usage, response_type: 'embeddings_by_type' });
};

export function textsOf(body: JsonObject): readonly string[] {
  return listOr(body['texts']).map((text) => textOr(text));
}
