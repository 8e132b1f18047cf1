import { countTokens } from '../../codec/word-pieces.js';
import { type Answerer, jsonAnswer } from '../answer.js';
import { vectorOf } from '../embeddings.js';
import { badRequest, googleError } from '../errors.js';
import { countOr, type JsonObject, listOr, objectOr, textOr } from '../json.js';
import { contentText } from '../reply.js';

const DIMENSIONS = 3072;
/** One transparent pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

/** https://ai.google.dev/api/embeddings */
export const batchEmbed: Answerer = (request) => {
  const requests = listOr(request.body['requests']).map((each) => objectOr(each));
  if (requests.length === 0) return googleError(badRequest('* BatchEmbedContentsRequest.requests: is empty'));
  if (requests.length > 100) return googleError(badRequest('* at most 100 requests can be in one batch'));
  if (requests.some((each) => !textOr(each['model']).startsWith('models/'))) {
    return googleError(badRequest('* BatchEmbedContentsRequest.requests[0].model: unexpected model name format'));
  }
  const texts = requests.map(textIn);
  const embeddings = texts.map((text, index) => ({
    values: valuesOf(text, requests[index]?.['outputDimensionality']),
  }));
  return jsonAnswer({ embeddings, ...(request.behaviour.usage ? usageOf(texts) : {}) });
};

/** One text, on Gemini and on Vertex AI. */
export const embedContent: Answerer = (request) => {
  const text = textIn(request.body);
  if (text === '') return googleError(badRequest('* EmbedContentRequest.content: contents is not specified'));
  const config = objectOr(request.body['embedContentConfig']);
  const dimensions = config['outputDimensionality'] ?? request.body['outputDimensionality'];
  const usage = request.behaviour.usage ? usageOf([text]) : {};
  return jsonAnswer({ embedding: { values: valuesOf(text, dimensions) }, ...usage });
};

/** Vertex AI's `:predict`: embeddings of `content`, images of `prompt`. */
export const predict: Answerer = (request) => {
  const instances = listOr(request.body['instances']).map((each) => objectOr(each));
  const parameters = objectOr(request.body['parameters']);
  if (instances.length === 0) return googleError(badRequest('Invalid instances: list is empty'));
  if (typeof instances[0]?.['prompt'] === 'string') {
    const image = { mimeType: 'image/png', bytesBase64Encoded: PNG };
    const count = countOr(parameters['sampleCount'], 1, 8);
    return jsonAnswer({ predictions: Array.from({ length: count }, () => image) });
  }
  const predictions = instances.map((instance) => {
    const text = textOr(instance['content']);
    const statistics = { token_count: countTokens(text), truncated: false };
    const values = valuesOf(text, parameters['outputDimensionality']);
    return { embeddings: request.behaviour.usage ? { values, statistics } : { values } };
  });
  const characters = instances.reduce((sum, { content }) => sum + textOr(content).length, 0);
  return jsonAnswer({ predictions, metadata: { billableCharacterCount: characters } });
};

function textIn(request: JsonObject): string {
  return contentText(objectOr(request['content'])['parts']);
}

function valuesOf(text: string, dimensions: unknown): readonly number[] {
  return [...vectorOf(text, countOr(dimensions, DIMENSIONS, DIMENSIONS))];
}

function usageOf(texts: readonly string[]): JsonObject {
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  const promptTokenDetails = [{ modality: 'TEXT', tokenCount: tokens }];
  return { usageMetadata: { promptTokenCount: tokens, promptTokenDetails, totalTokenCount: tokens } };
}
