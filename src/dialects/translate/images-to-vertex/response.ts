import { type JsonObject, listIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';

/** Images that Google's filters held back are missing from the list, as they are at OpenAI. */
export function fromImagen(body: JsonObject, context: TranslationContext): JsonObject {
  const data = listIn(body, 'predictions').flatMap((prediction) => {
    const image = stringIn(prediction, 'bytesBase64Encoded');
    const prompt = stringIn(prediction, 'prompt');
    return image === null ? [] : [{ b64_json: image, ...(prompt === null ? {} : { revised_prompt: prompt }) }];
  });
  return { created: context.created, data };
}
