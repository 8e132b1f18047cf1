import type { JsonObject } from './json-value.js';
import type { Usage } from './usage.js';

/**
 * Usage as each dialect states it, written from the normalised classes, so that what a client reads always adds up to what is
 * booked. Which counts include which: providers.md, table 1b.
 */

/** OpenAI chat: input with cache, output with reasoning. */
export function chatUsage(usage: Usage): JsonObject {
  const prompt = inputTokens(usage);
  const completion = outputTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: usage.cache_read,
      audio_tokens: usage.input_audio,
      ...(cacheWrites(usage) > 0 ? { cache_write_tokens: cacheWrites(usage) } : {}),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      audio_tokens: usage.output_audio,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** OpenAI Responses: as chat, under other names. */
export function responsesUsage(usage: Usage): JsonObject {
  const input = inputTokens(usage);
  const output = outputTokens(usage);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cache_read, cache_write_tokens: cacheWrites(usage) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: input + output,
  };
}

/** Anthropic: input without cache, output with thinking. */
export function anthropicUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.input + usage.input_audio + usage.input_image,
    cache_creation_input_tokens: cacheWrites(usage),
    cache_read_input_tokens: usage.cache_read,
    output_tokens: outputTokens(usage),
    ...(usage.reasoning > 0 ? { output_tokens_details: { thinking_tokens: usage.reasoning } } : {}),
  };
}

/** Gemini: prompt with cache, candidates without thoughts. */
export function geminiUsage(usage: Usage): JsonObject {
  const prompt = inputTokens(usage);
  const candidates = usage.output + usage.output_audio;
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: candidates,
    totalTokenCount: prompt + candidates + usage.reasoning,
    ...(usage.cache_read > 0 ? { cachedContentTokenCount: usage.cache_read } : {}),
    ...(usage.reasoning > 0 ? { thoughtsTokenCount: usage.reasoning } : {}),
  };
}

function inputTokens(usage: Usage): number {
  return usage.input + usage.cache_read + cacheWrites(usage) + usage.input_audio + usage.input_image;
}

function cacheWrites(usage: Usage): number {
  return usage.cache_write_5m + usage.cache_write_1h;
}

function outputTokens(usage: Usage): number {
  return usage.output + usage.reasoning + usage.output_audio;
}
