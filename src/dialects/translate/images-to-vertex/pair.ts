import type { Translation } from '../translation.js';
import { unaryCall } from '../unary-call.js';
import { toImagen } from './request.js';
import { fromImagen } from './response.js';

/** OpenAI's image generation by Imagen on Vertex AI. */
export const imagesToVertex: Translation = {
  from: 'openai-images',
  to: 'vertex-predict',
  prepare(request, context) {
    return unaryCall(toImagen(request, context), (body) => fromImagen(body, context));
  },
};
