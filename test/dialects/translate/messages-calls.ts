import { isObject, type JsonObject, listIn, stringIn } from '../../../src/dialects/json-value.js';
import { ChatFold } from '../../../src/dialects/openai-chat/fold.js';
import { createClientFraming } from '../../../src/dialects/translate/client-framing.js';
import { messagesToChat } from '../../../src/dialects/translate/messages-to-chat/pair.js';
import { TranslatingStream } from '../../../src/dialects/translate/translating-stream.js';
import type { PreparedCall, TranslationContext } from '../../../src/dialects/translate/translation.js';
import { contextFor } from './messages-goldens.js';

/** A client's request that wants to see thoughts. */
export const REQUEST = {
  model: 'claude-sonnet-4-5',
  max_tokens: 4096,
  thinking: { type: 'adaptive' },
  stop_sequences: ['#'],
  messages: [{ role: 'user', content: 'Hello.' }],
};

export function callFor(changes: Partial<TranslationContext> = {}): PreparedCall {
  return messagesToChat.prepare(REQUEST, contextFor({ stream: true, ...changes }));
}

/** The client's bytes for a provider's, through the same pipe as in the gateway. */
export function throughPipe(chunks: readonly Buffer[]): Buffer {
  const stream = new TranslatingStream({
    framing: 'sse',
    fold: new ChatFold(),
    translator: callFor().stream(),
    client: createClientFraming('anthropic-messages', false),
  });
  return Buffer.concat([...chunks.map((chunk) => stream.push(chunk)), stream.end()]);
}

export function textOf(message: JsonObject): string {
  return listIn(message, 'content')
    .map((block) => stringIn(block, 'text') ?? '')
    .join('');
}

export function callsOf(message: JsonObject): readonly JsonObject[] {
  return listIn(message, 'content')
    .filter(isObject)
    .filter((block) => block['type'] === 'tool_use');
}
