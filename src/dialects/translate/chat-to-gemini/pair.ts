import type { JsonObject } from '../../json-value.js';
import type { PreparedCall, StreamTranslator, Translation, TranslationContext } from '../translation.js';
import { type GeminiRequest, writeRequest } from './request.js';
import { writeAnswer } from './response.js';
import { ChunkStream } from './stream.js';

/** OpenAI chat → Gemini, on the Gemini API and on Vertex AI: only what both take is written. */
export const chatToGemini: Translation = {
  from: 'openai-chat',
  to: 'gemini-generate',
  prepare: (request, context) => new GeminiCall(writeRequest(request, context), context),
};

class GeminiCall implements PreparedCall {
  readonly body: JsonObject;
  readonly #searches: boolean;
  readonly #context: TranslationContext;

  constructor({ body, searches }: GeminiRequest, context: TranslationContext) {
    this.body = body;
    this.#searches = searches;
    this.#context = context;
  }

  answer(body: JsonObject): JsonObject {
    return writeAnswer(body, this.#context);
  }

  stream(): StreamTranslator {
    return new ChunkStream(this.#context, this.#searches);
  }
}
