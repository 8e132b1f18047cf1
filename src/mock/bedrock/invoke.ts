import { countTokens } from '../../codec/word-pieces.js';
import { type Answerer, jsonAnswer, type MockRequest } from '../answer.js';
import { textsOf } from '../cohere/embed.js';
import { DIMENSIONS, vectorOf } from '../embeddings.js';
import { awsError, badRequest } from '../errors.js';
import { countOr, isObject, type JsonObject, objectOr, textOr } from '../json.js';

/** `InvokeModel` speaks the dialect of each model: the body tells which. @param claude answers what has messages */
export function invoke(claude: Answerer): Answerer {
  return (request) => {
    const { body } = request;
    if (typeof body['inputText'] === 'string') return titan(request, body['inputText']);
    if (isObject(body['singleEmbeddingParams'])) return nova(request, body['singleEmbeddingParams']);
    if (Array.isArray(body['texts'])) return cohere(request);
    return claude(request);
  };
}

function titan(request: MockRequest, text: string): ReturnType<Answerer> {
  const dimensions = countOr(request.body['dimensions'], 1024, 1024);
  if (![256, 512, 1024].includes(dimensions)) {
    return awsError(badRequest('Malformed input request: #/dimensions is not one of 256, 512, 1024.'));
  }
  const tokens = countTokens(text);
  const usage = request.behaviour.usage ? { inputTextTokenCount: tokens } : {};
  return jsonAnswer({ embedding: [...vectorOf(text, dimensions)], ...usage }, 200, countHeader(request, tokens));
}

function nova(request: MockRequest, params: JsonObject): ReturnType<Answerer> {
  if (textOr(params['embeddingPurpose']) === '') return awsError(badRequest('embeddingPurpose is required.'));
  const text = textOr(objectOr(params['text'])['value']);
  const embedding = [...vectorOf(text, countOr(params['embeddingDimension'], 3072, 3072))];
  const body = { embeddings: [{ embeddingType: 'TEXT', embedding }] };
  return jsonAnswer(body, 200, countHeader(request, countTokens(text)));
}

/** States its tokens in the header only. */
function cohere(request: MockRequest): ReturnType<Answerer> {
  const { body } = request;
  if (textOr(body['input_type']) === '')
    return awsError(badRequest('Malformed input request: #: required key [input_type]'));
  const texts = textsOf(body);
  const dimensions = countOr(body['output_dimension'], DIMENSIONS, 4096);
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  const embeddings = texts.map((text) => [...vectorOf(text, dimensions)]);
  const answer = { id: request.id, embeddings, response_type: 'embeddings_floats', texts };
  return jsonAnswer(answer, 200, countHeader(request, tokens));
}

function countHeader(request: MockRequest, tokens: number): Readonly<Record<string, string>> {
  return request.behaviour.usage ? { 'x-amzn-bedrock-input-token-count': String(tokens) } : {};
}
