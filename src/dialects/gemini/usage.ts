import { isObject, type JsonObject, listIn } from '../json-value.js';
import { statedAmount } from '../stated-amount.js';
import { emptyUsage, type Usage } from '../usage.js';

/** Counts of `usageMetadata`: a statement that has none of them (Vertex AI's `trafficType` alone) says nothing about tokens. */
const COUNTS = [
  'promptTokenCount',
  'candidatesTokenCount',
  'totalTokenCount',
  'thoughtsTokenCount',
  'cachedContentTokenCount',
  'toolUsePromptTokenCount',
];

/** Vertex AI's client libraries may write enumerations by number. */
const AUDIO: ReadonlySet<unknown> = new Set(['AUDIO', 4]);
const IMAGE: ReadonlySet<unknown> = new Set(['IMAGE', 2]);

/**
 * Keeps what the chunks of an answer stated. Each states the whole answer so far; members are overwritten one by one, because
 * the last chunk may leave out what an earlier one said, and nothing is ever summed.
 */
export class GeminiUsageKeeper {
  /** null while nothing was stated. */
  usage: Usage | null = null;
  #stated: JsonObject = {};

  /** Takes `usageMetadata`. Returns true when it stated tokens. */
  take(metadata: JsonObject | null): boolean {
    if (metadata === null || !COUNTS.some((name) => statedAmount(metadata, name) !== null)) return false;
    this.#stated = { ...this.#stated, ...metadata };
    this.usage = normaliseGeminiUsage(this.#stated, statedAmount(metadata, 'totalTokenCount'));
    return true;
  }
}

/**
 * `usageMetadata` as classes that never overlap: the prompt includes what was read from a cache but not what tools put in, candidates
 * do not include thoughts. Parts are clamped to what contains them.
 * @param total what the answer calls the total; tokens that only it shows are thoughts that were not told
 */
export function normaliseGeminiUsage(stated: JsonObject, total: number | null): Usage {
  const prompt = statedAmount(stated, 'promptTokenCount') ?? 0;
  const toolUse = statedAmount(stated, 'toolUsePromptTokenCount') ?? 0;
  const candidates = statedAmount(stated, 'candidatesTokenCount') ?? 0;
  const thoughts = statedAmount(stated, 'thoughtsTokenCount');
  const cached = Math.min(statedAmount(stated, 'cachedContentTokenCount') ?? 0, prompt);
  const fresh = prompt - cached + toolUse;
  const audio = Math.min(freshOf(stated, AUDIO), fresh);
  const image = Math.min(freshOf(stated, IMAGE), fresh - audio);
  const audioOut = Math.min(tokensOf(stated, 'candidatesTokensDetails', AUDIO), candidates);
  const hidden = Math.max(0, (total ?? 0) - prompt - toolUse - candidates);
  return {
    ...emptyUsage(),
    input: fresh - audio - image,
    cache_read: cached,
    input_audio: audio,
    input_image: image,
    output: candidates - audioOut,
    reasoning: thoughts ?? hidden,
    output_audio: audioOut,
  };
}

/** Tokens of one modality that were not read from a cache. */
function freshOf(stated: JsonObject, modality: ReadonlySet<unknown>): number {
  const given =
    tokensOf(stated, 'promptTokensDetails', modality) + tokensOf(stated, 'toolUsePromptTokensDetails', modality);
  return Math.max(0, given - tokensOf(stated, 'cacheTokensDetails', modality));
}

function tokensOf(stated: JsonObject, list: string, modality: ReadonlySet<unknown>): number {
  let sum = 0;
  for (const detail of listIn(stated, list)) {
    if (isObject(detail) && modality.has(detail['modality'])) sum += statedAmount(detail, 'tokenCount') ?? 0;
  }
  return sum;
}

const TRAFFIC: ReadonlyMap<unknown, string> = new Map([
  ['ON_DEMAND', 'on_demand'],
  ['ON_DEMAND_FLEX', 'flex'],
  ['ON_DEMAND_PRIORITY', 'priority'],
  ['ON_DEMAND_OFFPEAK', 'offpeak'],
  ['PROVISIONED_THROUGHPUT', 'provisioned'],
]);

/** `serviceTier` of the Gemini API, `trafficType` of Vertex AI. */
export function geminiTier(metadata: JsonObject): string | null {
  const tier = metadata['serviceTier'];
  if (typeof tier === 'string' && tier !== '') return tier.slice(0, 64).toLowerCase();
  return TRAFFIC.get(metadata['trafficType']) ?? null;
}
