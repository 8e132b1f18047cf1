import { listIn } from '../../json-value.js';
import type { Translation } from '../translation.js';
import type { Reply } from './reply.js';
import { chatRequest } from './request.js';
import { messageOf } from './response.js';
import { MessagesStream } from './stream.js';
import { asksForThoughts } from './thinking.js';
import { ToolNames } from './tool-names.js';

/** Clients of Anthropic's Messages (Claude Code, `@anthropic-ai/sdk`) at providers of chat completions. */
export const messagesToChat: Translation = {
  from: 'anthropic-messages',
  to: 'openai-chat',
  prepare(request, context) {
    const names = new ToolNames();
    const body = chatRequest(request, names, context);
    const reply: Reply = {
      context,
      names,
      stopSequences: listIn(request, 'stop_sequences'),
      // Vendors that want thoughts back in a loop of tools get them from the client only if it has seen them.
      showsThoughts: asksForThoughts(request) || (context.echoesReasoning === true && 'tools' in body),
    };
    return { body, answer: (answer) => messageOf(answer, reply), stream: () => new MessagesStream(reply) };
  },
};
