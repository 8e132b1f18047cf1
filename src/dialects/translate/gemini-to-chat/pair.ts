import { translationPair } from '../translation-pair.js';
import { writeRequest } from './request.js';
import { type Reply, writeAnswer } from './response.js';
import { GenerateStream } from './stream.js';

/** Google's clients → OpenAI chat. */
export const geminiToChat = translationPair<Omit<Reply, 'context'>>({
  from: 'gemini-generate',
  to: 'openai-chat',
  write(request, context) {
    const { body, showsThoughts } = writeRequest(request, context);
    return { body, memory: { showsThoughts } };
  },
  read({ showsThoughts }, context) {
    const reply: Reply = { context, showsThoughts };
    return { answer: (body) => writeAnswer(body, reply), stream: () => new GenerateStream(reply) };
  },
});
