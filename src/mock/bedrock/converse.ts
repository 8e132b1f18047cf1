import { type Answerer, jsonAnswer, type MockRequest } from '../answer.js';
import { awsError } from '../errors.js';
import { type JsonObject, listOr, objectOr } from '../json.js';
import { type Prompt, type Reply, reply } from '../reply.js';
import { signatureOf, thoughtsOn } from '../thoughts.js';
import { eventFrame, exceptionFrame, FRAMES } from './frames.js';
import { cachedTokens, problemOf, promptOf, thinks } from './request.js';

const SLICE = 12;
const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' } as const;

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, and `ConverseStream`. */
export function converse(form: 'whole' | 'frames'): Answerer {
  return (request) => {
    const problem = problemOf(request.body);
    if (problem !== null) return awsError(problem);
    const prompt = promptOf(request.body);
    const said = reply(prompt, request.behaviour);
    const thoughts = thinks(request.body) ? thoughtsOn(prompt) : [];
    const output = said.outputTokens + thoughts.length;
    const usage = request.behaviour.usage ? usageOf(request.body, prompt, output) : null;
    const headers = { 'x-amzn-requestid': request.id };
    if (form === 'whole') return jsonAnswer(conversed(request, { said, thoughts, usage }), 200, headers);
    return {
      kind: 'stream',
      contentType: FRAMES,
      events: events(request, { said, thoughts, usage }),
      errorEvent: exceptionFrame('modelStreamErrorException', 'The model stopped.'),
    };
  };
}

interface Answered {
  readonly said: Reply;
  readonly thoughts: readonly string[];
  readonly usage: JsonObject | null;
}

/** As in Claude's dialect: the first turn writes what stands before a cache point, a later one reads it. */
function usageOf(body: JsonObject, prompt: Prompt, outputTokens: number): JsonObject {
  const cached = cachedTokens(body);
  const later = listOr(body['messages']).some((message) => objectOr(message)['role'] === 'assistant');
  return {
    inputTokens: Math.max(0, prompt.inputTokens - cached),
    outputTokens,
    totalTokens: Math.max(cached, prompt.inputTokens) + outputTokens,
    cacheReadInputTokens: later ? cached : 0,
    cacheWriteInputTokens: later ? 0 : cached,
  };
}

function conversed(request: MockRequest, { said, thoughts, usage }: Answered): JsonObject {
  const signature = signatureOf(request.id);
  const thinking = { reasoningContent: { reasoningText: { text: thoughts.join(''), signature } } };
  const content = said.toolCalls.map((call, at) => ({
    toolUse: { toolUseId: `tooluse_${request.id}${at}`, name: call.name, input: objectOr(JSON.parse(call.arguments)) },
  }));
  return {
    output: {
      message: {
        role: 'assistant',
        content: [
          ...(thoughts.length === 0 ? [] : [thinking]),
          ...(content.length === 0 ? [{ text: said.pieces.join('') }] : content),
        ],
      },
    },
    stopReason: STOP_REASONS[said.finish],
    ...(usage === null ? {} : { usage }),
    metrics: { latencyMs: 1 },
  };
}

/** Blocks of text have no start of their own; usage comes after the stop. */
function* events(request: MockRequest, { said, thoughts, usage }: Answered): Generator<Buffer> {
  yield eventFrame('messageStart', { role: 'assistant' });
  let contentBlockIndex = 0;
  for (const block of blocksOf(request, { said, thoughts, usage })) {
    if (block.start !== null) yield eventFrame('contentBlockStart', { contentBlockIndex, start: block.start });
    for (const delta of block.deltas) yield eventFrame('contentBlockDelta', { contentBlockIndex, delta });
    yield eventFrame('contentBlockStop', { contentBlockIndex });
    contentBlockIndex += 1;
  }
  yield eventFrame('messageStop', { stopReason: STOP_REASONS[said.finish] });
  if (usage !== null) yield eventFrame('metadata', { usage, metrics: { latencyMs: 1 } });
}

interface Block {
  readonly start: JsonObject | null;
  readonly deltas: Iterable<JsonObject>;
}

function* blocksOf(request: MockRequest, { said, thoughts }: Answered): Generator<Block> {
  if (thoughts.length > 0) {
    const spoken = thoughts.map((text) => ({ reasoningContent: { text } }));
    yield { start: null, deltas: [...spoken, { reasoningContent: { signature: signatureOf(request.id) } }] };
  }
  if (said.toolCalls.length === 0) yield { start: null, deltas: textDeltas(said.pieces) };
  for (const [at, call] of said.toolCalls.entries()) {
    const start = { toolUse: { toolUseId: `tooluse_${request.id}${at}`, name: call.name } };
    yield { start, deltas: inputDeltas(call.arguments) };
  }
}

function* textDeltas(pieces: readonly string[]): Generator<JsonObject> {
  for (const text of pieces) yield { text };
}

function* inputDeltas(text: string): Generator<JsonObject> {
  if (text === '{}') yield { toolUse: { input: '' } };
  else for (let at = 0; at < text.length; at += SLICE) yield { toolUse: { input: text.slice(at, at + SLICE) } };
}
