import type { Translation } from '../translation.js';
import { convertRequest } from './request.js';
import { convertResponse } from './response.js';
import { ChatStream } from './stream.js';

/** Chat completions by Claude, at Anthropic itself; AWS and Google take the same body in an envelope of theirs. */
export const chatToAnthropic: Translation = {
  from: 'openai-chat',
  to: 'anthropic-messages',
  prepare(request, context) {
    const call = convertRequest(request, context);
    return {
      body: call.body,
      answer: (body) => convertResponse(body, call, context),
      stream: () => new ChatStream(call, context),
    };
  },
};
