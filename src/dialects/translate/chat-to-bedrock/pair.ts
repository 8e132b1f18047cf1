import { translationPair } from '../translation-pair.js';
import { type AnswerTools, converseRequest } from './request.js';
import { chatAnswer } from './response.js';
import { ConverseStream } from './stream.js';

/** OpenAI chat clients, and the models of AWS Bedrock by its Converse API. */
export const chatToBedrock = translationPair<AnswerTools>({
  from: 'openai-chat',
  to: 'bedrock-converse',
  write(request, context) {
    const { body, tools } = converseRequest(request, context);
    return { body, memory: tools };
  },
  read: (tools, context) => ({
    answer: (answer) => chatAnswer(answer, context, tools),
    stream: () => new ConverseStream(context, tools),
  }),
});
