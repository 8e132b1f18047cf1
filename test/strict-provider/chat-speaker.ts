import { problemsOf } from '../schemas/openai-schema.js';
import { dataUrlBytes, type Json, piecesOf, type Speaker, type Turn } from './script.js';

const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

/** OpenAI's chat completions, which have no place for thoughts. */
export const chatSpeaker: Speaker = {
  faults: (body) => [...problemsOf('CreateChatCompletionRequest', body), ...pairing((body as Json).messages)],
  seen(body: Json) {
    const messages: Json[] = body.messages;
    const parts: Json[] = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
    return {
      calls: messages
        .flatMap((message) => message.tool_calls ?? [])
        .map((call) => ({ id: call.id, name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
      results: messages
        .filter(({ role }) => role === 'tool')
        .map(({ tool_call_id: id, content }) => ({ id, text: textOf(content) })),
      signatures: [],
      images: parts.flatMap((part) => (part.image_url ? dataUrlBytes(part.image_url.url) : [])),
    };
  },
  whole: (turn) => ({
    ...envelope('chat.completion'),
    choices: [{ index: 0, message: messageOf(turn), finish_reason: finish(turn), logprobs: null }],
    usage: USAGE,
  }),
  stream: (turn) => ({
    type: 'text/event-stream',
    pieces: [...[...chunks(turn)].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), 'data: [DONE]\n\n'],
  }),
  refusal: (message) => ({ error: { message, type: 'invalid_request_error', param: null, code: null } }),
};

/** Every call is answered before anything else is said. */
function pairing(messages: readonly Json[]): string[] {
  const open = new Set<string>();
  const faults: string[] = [];
  for (const [index, { role, tool_calls: calls, tool_call_id: id }] of messages.entries()) {
    if (role === 'tool' && !open.delete(id)) faults.push(`messages.${index}: a result of no open call`);
    if (role !== 'tool' && open.size > 0) faults.push(`messages.${index}: calls without a result`);
    for (const call of calls ?? []) open.add(call.id);
  }
  return faults;
}

function textOf(content: Json): string {
  return typeof content === 'string' ? content : content.map(({ text = '' }: Json) => text).join('');
}

function envelope(object: string) {
  return { id: 'chatcmpl-1', object, created: 1_780_000_000, model: 'gpt-5' };
}

function finish({ calls }: Turn): string {
  return calls.length > 0 ? 'tool_calls' : 'stop';
}

function messageOf({ text, calls }: Turn): Json {
  const toolCalls = calls.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  const content = text === '' ? null : text;
  return { role: 'assistant', content, refusal: null, ...(calls.length > 0 ? { tool_calls: toolCalls } : {}) };
}

function* chunks(turn: Turn): Generator<Json> {
  const chunk = (delta: Json, reason: string | null = null) => ({
    ...envelope('chat.completion.chunk'),
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  yield chunk({ role: 'assistant', content: '' });
  for (const content of piecesOf(turn.text)) yield chunk({ content });
  for (const [index, call] of turn.calls.entries()) {
    const start = { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } };
    yield chunk({ tool_calls: [start] });
    for (const piece of piecesOf(JSON.stringify(call.arguments)))
      yield chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  yield chunk({}, finish(turn));
  yield { ...envelope('chat.completion.chunk'), choices: [], usage: USAGE };
}
