import type { Translation } from '../translation.js';
import { converseRequest } from './request.js';
import { chatAnswer } from './response.js';
import { ConverseStream } from './stream.js';

/** OpenAI chat clients, and the models of AWS Bedrock by its Converse API. */
export const chatToBedrock: Translation = {
  from: 'openai-chat',
  to: 'bedrock-converse',
  prepare(request, context) {
    const { body, tools } = converseRequest(request, context);
    return {
      body,
      answer: (answer) => chatAnswer(answer, context, tools),
      stream: () => new ConverseStream(context, tools),
    };
  },
};
