import type { JsonObject } from '../../json-value.js';
import type { Losses } from '../losses.js';
import { takeOwnMembers } from '../own-members.js';
import type { TranslationContext } from '../translation.js';

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api */
const MOST_IMAGES = 4;
const OWN: ReadonlySet<string> = new Set([
  ...['aspectRatio', 'negativePrompt', 'personGeneration', 'safetySetting', 'sampleImageSize', 'seed'],
  ...['addWatermark', 'enhancePrompt', 'language'],
]);
const KNOWN: ReadonlySet<string> = new Set([
  ...['model', 'prompt', 'n', 'size', 'response_format', 'output_format', 'output_compression', 'background', 'stream'],
]);
/** Members of OpenAI's, with the values that ask for nothing. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  quality: ['auto', 'standard'],
  moderation: ['auto'],
  partial_images: [0],
};

const RATIOS: ReadonlyMap<unknown, string> = new Map([
  ['1024x1024', '1:1'],
  ['2048x2048', '1:1'],
  ['1280x896', '4:3'],
  ['896x1280', '3:4'],
  ['1408x768', '16:9'],
  ['1792x1024', '16:9'],
  ['768x1408', '9:16'],
  ['1024x1792', '9:16'],
]);

export function toImagen(request: JsonObject, context: TranslationContext): JsonObject {
  const { losses } = context;
  if (context.stream) losses.refuse('stream', 'its images come whole');
  const { prompt } = request;
  if (typeof prompt !== 'string') return losses.refuse('prompt', 'it is no text');
  refuseLinks(request, losses);
  return {
    instances: [{ prompt }],
    parameters: {
      sampleCount: countOf(request['n'], losses),
      ...ratioOf(request['size'], losses),
      ...outputOf(request, losses),
      ...takeOwnMembers(meaningful(request), { known: KNOWN, own: OWN }, losses),
    },
  };
}

function meaningful(request: JsonObject): JsonObject {
  const says = ([name, value]: [string, unknown]): boolean =>
    !Object.hasOwn(NEUTRAL, name) || NEUTRAL[name]?.includes(value) !== true;
  return Object.fromEntries(Object.entries(request).filter(says));
}

function refuseLinks(request: JsonObject, losses: Losses): void {
  if (request['response_format'] === 'url') losses.refuse('response_format', 'it sends images only as b64_json');
  if (request['background'] === 'transparent') losses.refuse('background', 'its images are opaque');
}

function countOf(count: unknown, losses: Losses): number {
  if (count === undefined || count === null) return 1;
  if (typeof count === 'number' && Number.isInteger(count) && count > 0 && count <= MOST_IMAGES) return count;
  return losses.refuse('n', `it makes 1 to ${MOST_IMAGES} images per call`);
}

/** The size itself is the model's; only the shape can be asked for. */
function ratioOf(size: unknown, losses: Losses): JsonObject {
  if (size === undefined || size === null || size === 'auto') return {};
  const aspectRatio = RATIOS.get(size);
  if (aspectRatio !== undefined) return { aspectRatio };
  return losses.refuse('size', `it is none of ${[...RATIOS.keys()].join(', ')}`);
}

function outputOf(request: JsonObject, losses: Losses): JsonObject {
  const format = request['output_format'] ?? null;
  const quality = request['output_compression'] ?? null;
  if (format === null && quality === null) return {};
  if (format !== null && format !== 'png' && format !== 'jpeg') {
    return losses.refuse('output_format', 'its images are png or jpeg');
  }
  if (format !== 'jpeg' && quality !== null) losses.drop('output_compression');
  const compression = format === 'jpeg' && quality !== null ? { compressionQuality: quality } : {};
  return { outputOptions: { mimeType: `image/${format ?? 'png'}`, ...compression } };
}
