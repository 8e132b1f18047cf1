import { matchEndpoint } from '../dialects/endpoints.js';
import { GatewayError } from '../dialects/error.js';
import { createResponseReader } from '../dialects/readers.js';
import { scanRequest } from '../dialects/request.js';
import { spliceRequest } from '../dialects/splice.js';
import { createUsageChunkEditor } from '../dialects/usage-chunk-editor.js';

const ROUNDS = 300;
const BODY = Buffer.from(
  '{"messages":[{"role":"user","content":"warm \\"up\\""}],"model":"a/b","stream":true,"max_tokens":16}',
);
const CHUNK = Buffer.from(
  'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"warm"},"finish_reason":null}]}\n\n',
);
const LAST = Buffer.from(
  'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\ndata: [DONE]\n\n',
);

/** Lets the engine compile the hot path before the first real request pays for it. Some tens of milliseconds. */
export function warmUp(): void {
  const endpoint = matchEndpoint('POST', '/v1/chat/completions');
  if (!endpoint) return;
  for (let round = 0; round < ROUNDS; round += 1) {
    const facts = scanRequest(endpoint, BODY, 'application/json');
    if (facts instanceof GatewayError) throw facts;
    spliceRequest(BODY, facts, { model: 'b', includeUsage: true });
    const reader = createResponseReader(endpoint.wire, { stream: true, contentType: 'text/event-stream' });
    const editor = createUsageChunkEditor(endpoint.wire);
    for (const chunk of [CHUNK, CHUNK, LAST]) editor.push(chunk, chunk === LAST, reader.push(chunk));
    reader.end();
  }
}
