import { amountOf, asObject, isObject, type JsonObject } from './json-value.js';
import type { ResponseFacts } from './response-reader.js';
import { emptyUsage, type Usage } from './usage.js';

/** One xAI tick is a tenth of a nano-dollar. */
const TICKS_PER_DOLLAR = 1e10;

/**
 * Keeps the last usage that an answer stated. Fields are overwritten one by one, never summed: some providers repeat the
 * running total on every chunk, others complete it at the end (providers.md, section 0.2).
 */
export class UsageKeeper {
  #stated: JsonObject | null = null;

  /** Takes a `usage` object; anything else changes nothing. */
  take(stated: unknown, facts: ResponseFacts): void {
    if (!isObject(stated)) return;
    facts.usageAtBytes = facts.contentBytes;
    this.#stated = this.#stated === null ? stated : completed(this.#stated, stated);
    facts.usage = normaliseUsage(this.#stated) ?? facts.usage;
    facts.statedCostUsd = statedCost(this.#stated) ?? facts.statedCostUsd;
  }
}

/** What is null now is not taken back. */
function completed(before: JsonObject, stated: JsonObject): JsonObject {
  const news = Object.entries(stated).filter(([, value]) => value !== null && value !== undefined);
  return { ...before, ...Object.fromEntries(news) };
}

/** Dollars as the provider stated them (OpenRouter, Perplexity, xAI); null when it stated none. */
export function statedCost(usage: JsonObject): number | null {
  const ticks = amountOf(usage['cost_in_usd_ticks']);
  return (
    amountOf(usage['cost']) ??
    amountOf(asObject(usage['cost'])?.['total_cost']) ??
    (ticks === null ? null : ticks / TICKS_PER_DOLLAR)
  );
}

/** The numbers of a usage object under any of their names; null = not stated. */
interface Stated {
  readonly prompt: number;
  readonly completion: number;
  /** A completion was stated, be it 0. */
  readonly generates: boolean;
  readonly total: number | null;
  readonly cached: number;
  readonly written: number;
  readonly audioIn: number;
  readonly imageIn: number;
  readonly reasoning: number | null;
  readonly audioOut: number;
  readonly audioSeconds: boolean;
}

/**
 * OpenAI-style usage (chat, completions, Responses, embeddings, images, audio) as classes that never overlap; null when it
 * states no amount. Rules: providers.md, section 7.2. Parts are clamped to what contains them, so no class is negative.
 */
export function normaliseUsage(usage: JsonObject): Usage | null {
  const stated = readStated(usage);
  if (stated === null) return durationUsage(usage);
  const extra = unexplained(stated);
  const cacheRead = Math.min(stated.cached, stated.prompt);
  const written = Math.min(stated.written, stated.prompt - cacheRead);
  const fresh = stated.prompt - cacheRead - written;
  const audioIn = Math.min(extra.audio > 0 ? 0 : stated.audioIn, fresh);
  const imageIn = Math.min(stated.imageIn, fresh - audioIn);
  const reasoning = extra.reasoning > 0 ? 0 : Math.min(stated.reasoning ?? 0, stated.completion);
  const audioOut = Math.min(stated.audioOut, stated.completion - reasoning);
  return {
    ...emptyUsage(),
    input: fresh - audioIn - imageIn,
    cache_read: cacheRead,
    cache_write_5m: written,
    input_audio: audioIn + extra.audio,
    input_image: imageIn,
    output: stated.completion - reasoning - audioOut,
    reasoning: reasoning + extra.reasoning,
    output_audio: audioOut,
    search_units: searches(usage),
  };
}

/** Searches that are billed beside tokens: Perplexity's queries, xAI's sources. */
function searches(usage: JsonObject): number {
  return tokens(usage['num_search_queries']) ?? tokens(usage['num_sources_used']) ?? 0;
}

/** Tokens that only the total shows, by where they belong. */
function unexplained(stated: Stated): { readonly reasoning: number; readonly audio: number } {
  const difference = (stated.total ?? 0) - stated.prompt - stated.completion;
  if (difference <= 0) return { reasoning: 0, audio: 0 };
  // xAI chat puts reasoning on top of the completion.
  if (difference === stated.reasoning) return { reasoning: difference, audio: 0 };
  // Voxtral counts audio in the total only.
  if (difference === stated.audioIn || stated.audioSeconds) return { reasoning: 0, audio: difference };
  // Gemini's OpenAI endpoint does not report its thinking; embeddings never think.
  const hidden = stated.generates && (stated.reasoning === null || stated.reasoning === 0);
  return { reasoning: hidden ? difference : 0, audio: 0 };
}

function readStated(usage: JsonObject): Stated | null {
  const total = tokens(usage['total_tokens']);
  const completion = tokens(usage['completion_tokens']) ?? tokens(usage['output_tokens']);
  const prompt = tokens(usage['prompt_tokens']) ?? tokens(usage['input_tokens']);
  if (total === null && completion === null && prompt === null) return null;
  const input =
    asObject(usage['prompt_tokens_details']) ??
    asObject(usage['input_tokens_details']) ??
    asObject(usage['input_token_details']);
  const output = asObject(usage['completion_tokens_details']) ?? asObject(usage['output_tokens_details']);
  return {
    prompt: prompt ?? Math.max(0, (total ?? 0) - (completion ?? 0)),
    completion: completion ?? 0,
    generates: completion !== null,
    total,
    cached:
      tokens(input?.['cached_tokens']) ??
      tokens(usage['cached_tokens']) ??
      tokens(usage['num_cached_tokens']) ??
      tokens(usage['prompt_cache_hit_tokens']) ??
      0,
    written: tokens(input?.['cache_write_tokens']) ?? tokens(input?.['cache_creation_tokens']) ?? 0,
    audioIn: tokens(input?.['audio_tokens']) ?? 0,
    imageIn: tokens(input?.['image_tokens']) ?? 0,
    reasoning: tokens(output?.['reasoning_tokens']) ?? tokens(usage['reasoning_tokens']),
    audioOut: tokens(output?.['audio_tokens']) ?? 0,
    audioSeconds: (amountOf(usage['prompt_audio_seconds']) ?? 0) > 0,
  };
}

/** Transcription billed by time: whole seconds, rounded up. */
function durationUsage(usage: JsonObject): Usage | null {
  const seconds = usage['type'] === 'duration' ? amountOf(usage['seconds']) : null;
  return seconds === null ? null : { ...emptyUsage(), audio_seconds: Math.ceil(seconds) };
}

function tokens(value: unknown): number | null {
  const amount = amountOf(value);
  return amount === null ? null : Math.min(Math.floor(amount), Number.MAX_SAFE_INTEGER);
}
