import type { Translation } from '../translation.js';
import type { Reply } from './output.js';
import { chatRequest } from './request.js';
import { responseOf } from './response.js';
import { responseFrame } from './response-object.js';
import { ResponsesStream } from './stream.js';

/** Clients of OpenAI's Responses (Codex, `openai`, Vercel's `ai`) at providers of chat completions. */
export const responsesToChat: Translation = {
  from: 'openai-responses',
  to: 'openai-chat',
  prepare(request, context) {
    const { body, table } = chatRequest(request, context);
    const reply: Reply = { frame: responseFrame(request, context), id: context.id, table };
    return { body, answer: (answer) => responseOf(answer, reply), stream: () => new ResponsesStream(reply) };
  },
};
