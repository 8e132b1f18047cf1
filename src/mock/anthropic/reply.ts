import type { MockRequest } from '../answer.js';
import { type JsonObject, listOr, objectOr } from '../json.js';
import { type Prompt, type Reply, reply } from '../reply.js';
import { signatureOf, thoughtsOn } from '../thoughts.js';
import { cachedTokens, promptOf } from './request.js';

/** An answer of Claude's before it takes a form. */
export interface ClaudeReply {
  readonly said: Reply;
  /** Pieces of one thinking block; empty where none was asked for. */
  readonly thoughts: readonly string[];
  readonly signature: string;
  /** null where the model never states any. */
  readonly usage: JsonObject | null;
  readonly stopReason: string;
}

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' } as const;

export function claudeReply(request: MockRequest): ClaudeReply {
  const prompt = promptOf(request.body);
  const said = reply(prompt, request.behaviour);
  const thoughts = thinks(request.body) ? thoughtsOn(prompt) : [];
  return {
    said,
    thoughts,
    signature: signatureOf(request.id),
    usage: request.behaviour.usage ? usageOf(request.body, prompt, said.outputTokens + thoughts.length) : null,
    stopReason: STOP_REASONS[said.finish],
  };
}

function thinks(body: JsonObject): boolean {
  const type = objectOr(body['thinking'])['type'];
  return type === 'enabled' || type === 'adaptive';
}

/**
 * Input without cache beside the cache's. The mock remembers nothing, so the first turn of a conversation writes what is marked
 * with `cache_control`, and a later turn reads it.
 */
function usageOf(body: JsonObject, prompt: Prompt, output: number): JsonObject {
  const { tokens, hour } = cachedTokens(body);
  const later = listOr(body['messages']).some((message) => objectOr(message)['role'] === 'assistant');
  const written = later ? 0 : tokens;
  return {
    input_tokens: Math.max(0, prompt.inputTokens - tokens),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: later ? tokens : 0,
    cache_creation: { ephemeral_5m_input_tokens: hour ? 0 : written, ephemeral_1h_input_tokens: hour ? written : 0 },
    output_tokens: output,
    service_tier: 'standard',
  };
}
