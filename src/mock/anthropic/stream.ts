import type { MockRequest } from '../answer.js';
import type { JsonObject } from '../json.js';
import type { ToolCall } from '../reply.js';
import type { ClaudeReply } from './reply.js';

const SLICE = 12;

/** https://docs.claude.com/en/docs/build-with-claude/streaming: blocks one after the other, their indexes counted up. */
export function* claudeEvents(request: MockRequest, reply: ClaudeReply): Generator<JsonObject> {
  const { usage, stopReason } = reply;
  yield { type: 'message_start', message: opening(request, usage) };
  let index = 0;
  for (const block of blocksOf(request, reply)) {
    yield { type: 'content_block_start', index, content_block: block.start };
    if (index === 0) yield { type: 'ping' };
    for (const delta of block.deltas) yield { type: 'content_block_delta', index, delta };
    yield { type: 'content_block_stop', index };
    index += 1;
  }
  const delta = { stop_reason: stopReason, stop_sequence: null };
  yield { type: 'message_delta', delta, ...(usage === null ? {} : { usage: stated(usage) }) };
  yield { type: 'message_stop' };
}

interface Block {
  readonly start: JsonObject;
  readonly deltas: Iterable<JsonObject>;
}

function* blocksOf(request: MockRequest, { said, thoughts, signature }: ClaudeReply): Generator<Block> {
  if (thoughts.length > 0) {
    const start = { type: 'thinking', thinking: '', signature: '' };
    const spoken = thoughts.map((thinking) => ({ type: 'thinking_delta', thinking }));
    yield { start, deltas: [...spoken, { type: 'signature_delta', signature }] };
  }
  if (said.toolCalls.length === 0) {
    yield { start: { type: 'text', text: '' }, deltas: textDeltas(said.pieces) };
  }
  for (const [at, call] of said.toolCalls.entries()) {
    const start = { type: 'tool_use', id: `toolu_${request.id}${at}`, name: call.name, input: {} };
    yield { start, deltas: inputDeltas(call) };
  }
}

function* textDeltas(pieces: readonly string[]): Generator<JsonObject> {
  for (const text of pieces) yield { type: 'text_delta', text };
}

/** A call without arguments streams an empty text and nothing else. */
function* inputDeltas(call: ToolCall): Generator<JsonObject> {
  yield { type: 'input_json_delta', partial_json: '' };
  if (call.arguments === '{}') return;
  for (let at = 0; at < call.arguments.length; at += SLICE) {
    yield { type: 'input_json_delta', partial_json: call.arguments.slice(at, at + SLICE) };
  }
}

/** The start states the input and one token of the output. */
function opening(request: MockRequest, usage: JsonObject | null): JsonObject {
  return {
    id: `msg_${request.id}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(usage === null ? {} : { usage: { ...usage, output_tokens: 1 } }),
  };
}

function stated(usage: JsonObject): JsonObject {
  const { cache_creation: _, service_tier: __, ...counts } = usage;
  return counts;
}
