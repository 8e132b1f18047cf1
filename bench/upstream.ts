import { createServer, type ServerResponse } from 'node:http';

/** A provider that costs next to nothing: constant answers, chosen by the path; the model `quick` streams 30 events without a pause. Prints its port. */

const REPLY = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1,
  model: 'bench',
  choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(380) }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 40, completion_tokens: 90, total_tokens: 130 },
});
const event = (choices: unknown[], more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'bench', choices, ...more })}\n\n`;
const DELTA = event([{ index: 0, delta: { content: 'y'.repeat(180) }, finish_reason: null }]);
const LAST =
  event([{ index: 0, delta: {}, finish_reason: 'stop' }]) +
  event([], { usage: { prompt_tokens: 40, completion_tokens: 100, total_tokens: 140 } }) +
  'data: [DONE]\n\n';
const CHUNKS = 100;
const QUICK_CHUNKS = 30;

/** The same in Anthropic's dialect. */
const named = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const MESSAGE = {
  id: 'msg_bench',
  type: 'message',
  role: 'assistant',
  model: 'bench',
  content: [{ type: 'text', text: 'x'.repeat(380) }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 40, output_tokens: 90 },
};
const MESSAGES = {
  reply: JSON.stringify(MESSAGE),
  first:
    named('message_start', { message: { ...MESSAGE, content: [], stop_reason: null } }) +
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  delta: named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'y'.repeat(180) } }),
  last:
    named('content_block_stop', { index: 0 }) +
    named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 100 } }) +
    named('message_stop', {}),
};
const CHAT = { reply: REPLY, first: '', delta: DELTA, last: LAST };

interface Events {
  readonly first: string;
  readonly delta: string;
  readonly last: string;
}

/** Each event in a turn of its own, so that they do not arrive as one piece. */
function stream30(response: ServerResponse, { first, delta, last }: Events): void {
  let left = QUICK_CHUNKS;
  const next = (): void => {
    response.write(left === QUICK_CHUNKS ? first + delta : delta);
    left -= 1;
    if (left > 0) setImmediate(next);
    else response.end(last);
  };
  next();
}

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  let stream = false;
  let quick = false;
  const { reply, first, delta, last } = request.url === '/v1/messages' ? MESSAGES : CHAT;
  request.on('data', (chunk: Buffer) => {
    stream ||= chunk.includes('"stream":true');
    quick ||= chunk.includes('"model":"quick"');
  });
  request.on('end', () => {
    if (!stream) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': reply.length });
      response.end(reply);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (quick) {
      stream30(response, { first, delta, last });
      return;
    }
    let left = CHUNKS;
    const timer = setInterval(() => {
      response.write(left === CHUNKS ? first + delta : delta);
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      response.end(last);
    }, 10);
    response.on('close', () => clearInterval(timer));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : null);
});
