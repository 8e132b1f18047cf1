import { COHERE_MEMBERS, cohereEmbedRequest } from '../../cohere/embed-request.js';
import type { JsonObject } from '../../json-value.js';
import { atMostTexts, type EmbeddingsRequest, noDimensions } from '../../openai-embeddings/request.js';
import type { Losses } from '../losses.js';
import type { TranslationContext } from '../translation.js';

/** Members that some model on Bedrock takes; one that the model at hand does not take is dropped with a warning. */
export const BEDROCK_MEMBERS: ReadonlySet<string> = new Set([...COHERE_MEMBERS, 'normalize', 'embeddingPurpose']);

interface ModelFamily {
  /** Matches the model id wherever a region, a profile or an ARN stands before it. */
  readonly ids: RegExp;
  readonly own: ReadonlySet<string>;
  body(asked: EmbeddingsRequest, losses: Losses): JsonObject;
}

/** `InvokeModel` speaks every model maker's own dialect. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html */
const FAMILIES: readonly ModelFamily[] = [
  { ids: /amazon\.titan-embed-text-v2/, own: new Set(['normalize']), body: titanTextV2 },
  { ids: /amazon\.titan-embed-(?:text|g1-text)/, own: new Set(), body: titanTextV1 },
  { ids: /amazon\.titan-embed-image/, own: new Set(), body: titanImage },
  { ids: /amazon\.nova-[a-z0-9-]*embeddings/, own: new Set(['embeddingPurpose']), body: nova },
  { ids: /cohere\.embed-/, own: new Set(['input_type', 'truncate']), body: cohere },
];

export function toBedrock(asked: EmbeddingsRequest, context: TranslationContext): JsonObject {
  const { model, losses } = context;
  const family = FAMILIES.find((each) => each.ids.test(model));
  if (family === undefined) return losses.refuse('model', 'it is no embedding model of Amazon or Cohere on Bedrock');
  const taken: [string, unknown][] = [];
  for (const [name, value] of Object.entries(asked.own)) {
    if (family.own.has(name)) taken.push([name, value]);
    else losses.drop(name);
  }
  return family.body({ ...asked, own: Object.fromEntries(taken) }, losses);
}

function titanTextV2(asked: EmbeddingsRequest, losses: Losses): JsonObject {
  const { dimensions } = asked;
  return { ...titanTextV1({ ...asked, dimensions: null }, losses), ...(dimensions === null ? {} : { dimensions }) };
}

function titanTextV1(asked: EmbeddingsRequest, losses: Losses): JsonObject {
  atMostTexts(asked, 1, losses);
  noDimensions(asked, losses);
  return { inputText: asked.texts[0] ?? '', ...asked.own };
}

function titanImage(asked: EmbeddingsRequest, losses: Losses): JsonObject {
  const { dimensions } = asked;
  const config = dimensions === null ? {} : { embeddingConfig: { outputEmbeddingLength: dimensions } };
  return { ...titanTextV1({ ...asked, dimensions: null }, losses), ...config };
}

function nova(asked: EmbeddingsRequest, losses: Losses): JsonObject {
  atMostTexts(asked, 1, losses);
  return {
    taskType: 'SINGLE_EMBEDDING',
    singleEmbeddingParams: {
      embeddingPurpose: 'GENERIC_INDEX',
      ...asked.own,
      ...(asked.dimensions === null ? {} : { embeddingDimension: asked.dimensions }),
      text: { truncationMode: 'END', value: asked.texts[0] ?? '' },
    },
  };
}

/** The model is in the path; `embedding_types` is left to its default, which every generation knows. */
function cohere(asked: EmbeddingsRequest, losses: Losses): JsonObject {
  const { embedding_types: _, ...body } = cohereEmbedRequest(asked, losses);
  return body;
}
