import { readMessage } from '../../dialects/message-grammar.js';
import { type OpenAiShape, problemsOf } from '../../schemas/openai-schema.js';
import type { ReadingClient } from './sdk-clients.js';

const SHAPES: Readonly<Record<'chat' | 'responses', readonly [whole: OpenAiShape, streamed: OpenAiShape]>> = {
  chat: ['CreateChatCompletionResponse', 'CreateChatCompletionStreamResponse'],
  responses: ['Response', 'ResponseStreamEvent'],
};

interface Event {
  readonly type: string;
  readonly data: string;
}

/** What in the bytes of an answer is not as its dialect's publisher says, however much of it a client forgives. */
export function clientProblems(dialect: ReadingClient['dialect'], stream: boolean, text: string): readonly string[] {
  if (dialect === 'gemini') return [];
  if (dialect === 'messages') return stream ? messageProblems(eventsIn(text)) : [];
  const [whole, streamed] = SHAPES[dialect];
  if (!stream) return problemsOf(whole, JSON.parse(text));
  const events = eventsIn(text).filter(({ data }) => data !== '[DONE]');
  return events
    .flatMap(({ data }) => problemsOf(streamed, JSON.parse(data)).map((each) => `${each} in ${data}`))
    .slice(0, 3);
}

function messageProblems(events: readonly Event[]): readonly string[] {
  try {
    readMessage(events.map(({ type, data }) => ({ type, data: JSON.parse(data) })));
    return [];
  } catch (error) {
    return [String(error)];
  }
}

function eventsIn(text: string): readonly Event[] {
  return text.split('\n\n').flatMap((block) => {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    return data === undefined ? [] : [{ type: /^event: (.*)$/m.exec(block)?.[1] ?? '', data }];
  });
}
