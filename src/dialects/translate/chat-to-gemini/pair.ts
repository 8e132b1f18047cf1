import { translationPair } from '../translation-pair.js';
import { writeRequest } from './request.js';
import { writeAnswer } from './response.js';
import { ChunkStream } from './stream.js';

/** What an answer must know of its request. */
interface Memory {
  /** Google's own search was asked for. */
  readonly searches: boolean;
}

/** OpenAI chat → Gemini, on the Gemini API and on Vertex AI: only what both take is written. */
export const chatToGemini = translationPair<Memory>({
  from: 'openai-chat',
  to: 'gemini-generate',
  write(request, context) {
    const { body, searches } = writeRequest(request, context);
    return { body, memory: { searches } };
  },
  read: ({ searches }, context) => ({
    answer: (body) => writeAnswer(body, context),
    stream: () => new ChunkStream(context, searches),
  }),
});
