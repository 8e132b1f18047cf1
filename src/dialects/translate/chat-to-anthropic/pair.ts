import { translationPair } from '../translation-pair.js';
import { type AnswerMemory, convertRequest } from './request.js';
import { convertResponse } from './response.js';
import { ChatStream } from './stream.js';

/** Chat completions by Claude, at Anthropic itself; AWS and Google take the same body in an envelope of theirs. */
export const chatToAnthropic = translationPair<AnswerMemory>({
  from: 'openai-chat',
  to: 'anthropic-messages',
  write(request, context) {
    const { body, ...memory } = convertRequest(request, context);
    return { body, memory };
  },
  read: (memory, context) => ({
    answer: (body) => convertResponse(body, memory, context),
    stream: () => new ChatStream(memory, context),
  }),
});
