import { createServer } from 'node:http';

/** A provider that costs next to nothing: constant answers, chosen by the model's name in the body. Prints its port. */

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

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  let stream = false;
  request.on('data', (chunk: Buffer) => {
    stream ||= chunk.includes('"stream":true');
  });
  request.on('end', () => {
    if (!stream) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': REPLY.length });
      response.end(REPLY);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let left = CHUNKS;
    const timer = setInterval(() => {
      response.write(DELTA);
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      response.end(LAST);
    }, 10);
    response.on('close', () => clearInterval(timer));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : null);
});
