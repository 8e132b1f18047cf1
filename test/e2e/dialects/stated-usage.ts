import type { RequestRecord } from '../harness.js';
import type { NativeCall } from './native-calls.js';

type Numbers = Readonly<Record<string, unknown>>;

/** What the record must say of the tokens, from the provider's own statement. Written apart from the readers, on purpose. */
export interface ExpectedTokens {
  /** With everything that was read from or written to a cache. */
  readonly input: number;
  readonly cacheRead: number;
  /** null: the dialect does not say. */
  readonly cacheWrite: number | null;
  /** With thoughts. */
  readonly output: number;
  /** null: the dialect does not tell thoughts apart. */
  readonly reasoning: number | null;
  readonly audio: number | null;
}

/** By dialect; null where nothing about tokens is stated. */
export const EXPECTED: Readonly<
  Record<Exclude<NativeCall['metered'], 'none'>, (stated: Numbers) => ExpectedTokens | null>
> = { openai: openaiTokens, anthropic: anthropicTokens, bedrock: bedrockTokens, gemini: geminiTokens };

/** What is wrong with a record's usage against what the provider stated. */
export function usageProblems(expected: ExpectedTokens, record: RequestRecord): string[] {
  const { usage } = record;
  const sum = (...names: (keyof typeof usage)[]): number =>
    names.reduce((total, name) => total + (usage[name] ?? 0), 0);
  const wrong: string[] = [];
  const compare = (what: string, found: number, wanted: number | null): void => {
    if (wanted !== null && found !== wanted) wrong.push(`${what} ${found}, stated ${wanted}`);
  };
  const { input, output, cacheRead, cacheWrite, reasoning, audio } = expected;
  compare('input', sum('input', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'input_audio', 'input_image'), input);
  compare('output', sum('output', 'reasoning', 'output_audio'), output);
  compare('cache_read', sum('cache_read'), cacheRead);
  compare('cache_write', sum('cache_write_5m', 'cache_write_1h'), cacheWrite);
  compare('reasoning', sum('reasoning'), reasoning);
  compare('input_audio', sum('input_audio'), audio);
  if (record.usage_source !== 'provider') wrong.push(`usage_source ${record.usage_source}`);
  return wrong;
}

/** The first number that stands under one of the names, which may have dots. */
export function numberAt(from: unknown, ...names: string[]): number | null {
  for (const name of names) {
    let found: unknown = from;
    for (const step of name.split('.')) found = (found as Numbers | null | undefined)?.[step];
    if (typeof found === 'number') return found;
  }
  return null;
}

function openaiTokens(stated: Numbers): ExpectedTokens | null {
  const input = numberAt(stated, 'prompt_tokens', 'input_tokens');
  // Images and the like are counted in other units, which their own tests check.
  if (input === null) return null;
  const told = numberAt(stated, 'completion_tokens', 'output_tokens') ?? 0;
  // xAI and Gemini state reasoning only in the total.
  const output = told + Math.max(0, (numberAt(stated, 'total_tokens') ?? 0) - input - told);
  const cached = numberAt(
    stated,
    'prompt_tokens_details.cached_tokens',
    'input_tokens_details.cached_tokens',
    'prompt_cache_hit_tokens',
    'cached_tokens',
    'num_cached_tokens',
  );
  const reasoning = numberAt(
    stated,
    'completion_tokens_details.reasoning_tokens',
    'output_tokens_details.reasoning_tokens',
    'reasoning_tokens',
  );
  return {
    input,
    output,
    cacheRead: Math.min(input, cached ?? 0),
    cacheWrite: null,
    reasoning: reasoning === null ? null : Math.min(output, reasoning),
    audio: null,
  };
}

function anthropicTokens(stated: Numbers): ExpectedTokens | null {
  const fresh = numberAt(stated, 'input_tokens');
  if (fresh === null) return null;
  const cacheRead = numberAt(stated, 'cache_read_input_tokens') ?? 0;
  const cacheWrite = numberAt(stated, 'cache_creation_input_tokens') ?? 0;
  return {
    input: fresh + cacheRead + cacheWrite,
    cacheRead,
    cacheWrite,
    output: numberAt(stated, 'output_tokens') ?? 0,
    reasoning: numberAt(stated, 'output_tokens_details.thinking_tokens') ?? 0,
    audio: null,
  };
}

function bedrockTokens(stated: Numbers): ExpectedTokens | null {
  const fresh = numberAt(stated, 'inputTokens');
  if (fresh === null) return null;
  const cacheRead = numberAt(stated, 'cacheReadInputTokens') ?? 0;
  const cacheWrite = numberAt(stated, 'cacheWriteInputTokens') ?? 0;
  const output = numberAt(stated, 'outputTokens') ?? 0;
  return { input: fresh + cacheRead + cacheWrite, cacheRead, cacheWrite, output, reasoning: null, audio: null };
}

function geminiTokens(stated: Numbers): ExpectedTokens | null {
  const prompt = numberAt(stated, 'promptTokenCount');
  if (prompt === null) return null;
  const details = (stated['promptTokensDetails'] ?? []) as readonly { modality: unknown; tokenCount?: number }[];
  const audio = details.filter(({ modality }) => modality === 'AUDIO' || modality === 4);
  const reasoning = numberAt(stated, 'thoughtsTokenCount') ?? 0;
  return {
    input: prompt + (numberAt(stated, 'toolUsePromptTokenCount') ?? 0),
    output: (numberAt(stated, 'candidatesTokenCount') ?? 0) + reasoning,
    cacheRead: numberAt(stated, 'cachedContentTokenCount') ?? 0,
    cacheWrite: null,
    reasoning,
    audio: audio.reduce((sum, { tokenCount }) => sum + (tokenCount ?? 0), 0),
  };
}
