/** What a provider answers: the same bytes as those of the end-to-end bench, without its stamps. */

const EVENT = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'bench' };

function event(choices: readonly unknown[], more: object = {}): string {
  return `data: ${JSON.stringify({ ...EVENT, choices, ...more })}\n\n`;
}

export const REPLY = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1,
    model: 'bench',
    choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(380) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 40, completion_tokens: 90, total_tokens: 130 },
  }),
);

/** A piece of text. */
export const DELTA = Buffer.from(event([{ index: 0, delta: { content: 'y'.repeat(180) }, finish_reason: null }]));

/** The end, with the usage. */
export const LAST = Buffer.from(
  `${event([{ index: 0, delta: {}, finish_reason: 'stop' }])}${event([], {
    usage: { prompt_tokens: 40, completion_tokens: 100, total_tokens: 140 },
  })}data: [DONE]\n\n`,
);

/** A chat request. @param prompt its bytes */
export function chatRequest(prompt: number, more: object = {}): Buffer {
  const sentence = 'The quick brown fox jumps over the lazy dog. ';
  const content = sentence.repeat(Math.ceil(prompt / sentence.length)).slice(0, prompt);
  return Buffer.from(JSON.stringify({ messages: [{ role: 'user', content }], model: 'p/bench', ...more }));
}
