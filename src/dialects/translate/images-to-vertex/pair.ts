import { translationPair } from '../translation-pair.js';
import { unaryAnswer } from '../unary-answer.js';
import { toImagen } from './request.js';
import { fromImagen } from './response.js';

/** OpenAI's image generation by Imagen on Vertex AI. */
export const imagesToVertex = translationPair<null>({
  from: 'openai-images',
  to: 'vertex-predict',
  write: (request, context) => ({ body: toImagen(request, context), memory: null }),
  read: (_nothing, context) => unaryAnswer((body) => fromImagen(body, context)),
});
