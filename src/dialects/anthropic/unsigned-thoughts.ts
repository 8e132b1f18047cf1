import { isObject, listIn } from '../json-value.js';
import type { RequestMend } from '../request-mend.js';

const EMPTY_SIGNATURE = /"signature"\s*:\s*""/;

/** Thoughts of another provider's model have no signature; Anthropic refuses the whole request for them. */
export const unsignedThoughts: RequestMend = {
  wire: 'anthropic-messages',
  suspects: (body) => body.includes('"signature"') && EMPTY_SIGNATURE.test(body.toString('latin1')),
  mend(body) {
    let changed = false;
    const messages = listIn(body, 'messages').map((message) => {
      if (!isObject(message) || !Array.isArray(message['content'])) return message;
      const content = message['content'].filter((block) => !isUnsigned(block));
      if (content.length === message['content'].length) return message;
      changed = true;
      return { ...message, content };
    });
    return changed ? { ...body, messages: messages.filter(hasContent) } : body;
  },
};

function isUnsigned(block: unknown): boolean {
  return isObject(block) && block['type'] === 'thinking' && (block['signature'] ?? '') === '';
}

/** A turn of thoughts alone is no turn. */
function hasContent(message: unknown): boolean {
  return !isObject(message) || !Array.isArray(message['content']) || message['content'].length > 0;
}
