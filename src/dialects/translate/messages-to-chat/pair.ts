import { listIn } from '../../json-value.js';
import { translationPair } from '../translation-pair.js';
import type { Reply } from './reply.js';
import { chatRequest } from './request.js';
import { messageOf } from './response.js';
import { MessagesStream } from './stream.js';
import { asksForThoughts } from './thinking.js';
import { ToolNames } from './tool-names.js';

/** Clients of Anthropic's Messages (Claude Code, `@anthropic-ai/sdk`) at providers of chat completions. */
export const messagesToChat = translationPair<Omit<Reply, 'context'>>({
  from: 'anthropic-messages',
  to: 'openai-chat',
  write(request, context) {
    const names = new ToolNames();
    const body = chatRequest(request, names, context);
    const memory = {
      names: names.full,
      stopSequences: listIn(request, 'stop_sequences'),
      // Vendors that want thoughts back in a loop of tools get them from the client only if it has seen them.
      showsThoughts: asksForThoughts(request) || (context.echoesReasoning === true && 'tools' in body),
    };
    return { body, memory };
  },
  read(memory, context) {
    const reply: Reply = { ...memory, context };
    return { answer: (answer) => messageOf(answer, reply), stream: () => new MessagesStream(reply) };
  },
});
