import { hash } from 'node:crypto';
import { isObject, listIn } from '../json-value.js';
import type { RequestMend } from '../request-mend.js';

const SHORT = /^[a-zA-Z0-9]{9}$/;
const OTHER_ID = /"(?:tool_call_id|id)"\s*:\s*"(?![a-zA-Z0-9]{9}")/;

/** Mistral takes ids of calls only with nine letters and digits (its code 3280): those that other providers gave are renamed. */
export const shortToolIds: RequestMend = {
  wire: 'openai-chat',
  suspects: (body) => body.includes('"tool_call') && OTHER_ID.test(body.toString('latin1')),
  mend(body) {
    let changed = false;
    const short = (id: unknown): unknown => {
      if (typeof id !== 'string' || SHORT.test(id)) return id;
      changed = true;
      return shortened(id);
    };
    const messages = listIn(body, 'messages').map((message) => renamed(message, short));
    return changed ? { ...body, messages } : body;
  },
};

function renamed(message: unknown, short: (id: unknown) => unknown): unknown {
  if (!isObject(message)) return message;
  if (message['tool_call_id'] !== undefined) return { ...message, tool_call_id: short(message['tool_call_id']) };
  if (!Array.isArray(message['tool_calls'])) return message;
  const calls = message['tool_calls'].map((call) => (isObject(call) ? { ...call, id: short(call['id']) } : call));
  return { ...message, tool_calls: calls };
}

/** The same id always becomes the same: call and result find each other. */
function shortened(id: string): string {
  return hash('sha256', id, 'hex').slice(0, 9);
}
