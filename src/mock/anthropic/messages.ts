import { type Answerer, jsonAnswer, type MockAnswer, type MockError, type MockRequest } from '../answer.js';
import { eventFrame, exceptionFrame, FRAMES } from '../bedrock/frames.js';
import { anthropicError, awsError, badRequest } from '../errors.js';
import { type JsonObject, objectOr, textOr } from '../json.js';
import { type ClaudeReply, claudeReply } from './reply.js';
import { problemOf } from './request.js';
import { claudeEvents } from './stream.js';

/** Start, block, ping and the first pieces of content. */
const BROKEN_AFTER = 5;
const OVERLOADED = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };

/** `POST /v1/messages`. https://docs.claude.com/en/api/messages */
export const messages: Answerer = (request) => {
  if (request.header('anthropic-version') === '')
    return anthropicError(badRequest('anthropic-version: header is required'));
  const problem = problemOf(request.body, true);
  return problem === null ? answered(request) : anthropicError(problem);
};

/** Claude on Vertex AI: the model is in the path and the version in the body. */
export const vertexMessages: Answerer = (request) => {
  const problem = problemOfInvoked(request.body) ?? problemOf(request.body, true);
  return problem === null ? answered(request) : anthropicError(problem);
};

function answered(request: MockRequest): MockAnswer {
  const said = claudeReply(request);
  if (request.body['stream'] !== true)
    return jsonAnswer(message(request, said), 200, { 'request-id': `req_${request.id}` });
  return {
    kind: 'stream',
    events: lines(claudeEvents(request, said)),
    errorEvent: line(OVERLOADED),
    brokenAfter: BROKEN_AFTER,
  };
}

/** Claude by Bedrock's `InvokeModel`: the same, in AWS' frames where it streams, and usage in headers beside. */
export function invokedMessages(form: 'whole' | 'frames'): Answerer {
  return (request) => {
    const problem = problemOfInvoked(request.body) ?? problemOf(request.body, true);
    if (problem !== null) return awsError(problem);
    const said = claudeReply(request);
    if (form === 'whole') return jsonAnswer(message(request, said), 200, countHeaders(said.usage));
    return {
      kind: 'stream',
      contentType: FRAMES,
      events: chunkFrames(claudeEvents(request, said), said.usage),
      errorEvent: exceptionFrame('modelStreamErrorException', 'The model stopped.'),
      brokenAfter: BROKEN_AFTER,
    };
  };
}

function problemOfInvoked(body: JsonObject): MockError | null {
  if (textOr(body['anthropic_version']) === '') return badRequest('anthropic_version: Field required');
  return 'model' in body ? badRequest('model: Extra inputs are not permitted') : null;
}

function message(request: MockRequest, { said, thoughts, signature, usage, stopReason }: ClaudeReply): JsonObject {
  const thinking = thoughts.length === 0 ? [] : [{ type: 'thinking', thinking: thoughts.join(''), signature }];
  const content =
    said.toolCalls.length === 0
      ? [{ type: 'text', text: said.pieces.join('') }]
      : said.toolCalls.map((call, at) => ({
          type: 'tool_use',
          id: `toolu_${request.id}${at}`,
          name: call.name,
          input: objectOr(JSON.parse(call.arguments)),
        }));
  return {
    id: `msg_${request.id}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: [...thinking, ...content],
    stop_reason: stopReason,
    stop_sequence: null,
    ...(usage === null ? {} : { usage }),
  };
}

function* lines(events: Iterable<JsonObject>): Generator<string> {
  for (const event of events) yield line(event);
}

function line(event: JsonObject): string {
  return `event: ${textOr(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Each event as base64 in a frame; the last one has the invocation's metrics. */
function* chunkFrames(events: Iterable<JsonObject>, usage: JsonObject | null): Generator<Buffer> {
  for (const event of events) {
    const last = event['type'] === 'message_stop' && usage !== null;
    const whole = last ? { ...event, 'amazon-bedrock-invocationMetrics': metrics(usage) } : event;
    yield eventFrame('chunk', { bytes: Buffer.from(JSON.stringify(whole)).toString('base64') });
  }
}

function metrics(usage: JsonObject): JsonObject {
  return {
    inputTokenCount: usage['input_tokens'],
    outputTokenCount: usage['output_tokens'],
    invocationLatency: 1,
    firstByteLatency: 1,
    cacheReadInputTokenCount: usage['cache_read_input_tokens'],
    cacheWriteInputTokenCount: usage['cache_creation_input_tokens'],
  };
}

function countHeaders(usage: JsonObject | null): Readonly<Record<string, string>> {
  if (usage === null) return {};
  return {
    'x-amzn-bedrock-input-token-count': String(usage['input_tokens']),
    'x-amzn-bedrock-output-token-count': String(usage['output_tokens']),
    'x-amzn-bedrock-cache-read-input-token-count': String(usage['cache_read_input_tokens']),
    'x-amzn-bedrock-cache-write-input-token-count': String(usage['cache_creation_input_tokens']),
  };
}
