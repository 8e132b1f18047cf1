import { translationPair } from '../translation-pair.js';
import type { Reply } from './output.js';
import { chatRequest } from './request.js';
import { responseOf } from './response.js';
import { responseFrame } from './response-object.js';
import { ResponsesStream } from './stream.js';

/** Clients of OpenAI's Responses (Codex, `openai`, Vercel's `ai`) at providers of chat completions. */
export const responsesToChat = translationPair<Omit<Reply, 'id'>>({
  from: 'openai-responses',
  to: 'openai-chat',
  write(request, context) {
    const { body, table } = chatRequest(request, context);
    return { body, memory: { frame: responseFrame(request, context), tools: table.tools } };
  },
  read(memory, context) {
    const reply: Reply = { ...memory, id: context.id };
    return { answer: (answer) => responseOf(answer, reply), stream: () => new ResponsesStream(reply) };
  },
});
