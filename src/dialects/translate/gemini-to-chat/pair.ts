import type { JsonObject } from '../../json-value.js';
import type { PreparedCall, StreamTranslator, Translation, TranslationContext } from '../translation.js';
import { type ChatRequest, writeRequest } from './request.js';
import { type Reply, writeAnswer } from './response.js';
import { GenerateStream } from './stream.js';

/** Google's clients → OpenAI chat. */
export const geminiToChat: Translation = {
  from: 'gemini-generate',
  to: 'openai-chat',
  prepare: (request, context) => new ChatCall(writeRequest(request, context), context),
};

class ChatCall implements PreparedCall {
  readonly body: JsonObject;
  readonly #reply: Reply;

  constructor({ body, showsThoughts }: ChatRequest, context: TranslationContext) {
    this.body = body;
    this.#reply = { context, showsThoughts };
  }

  answer(body: JsonObject): JsonObject {
    return writeAnswer(body, this.#reply);
  }

  stream(): StreamTranslator {
    return new GenerateStream(this.#reply);
  }
}
