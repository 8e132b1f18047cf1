import type { ResponseFacts } from '../../dialects/response-reader.js';
import { type EstimatedUsage, estimateUsage } from '../estimate.js';
import { tokenFamily } from '../tokens/families.js';
import type { CountedRequest } from '../tokens/media-tokens.js';
import type { TokenCounter } from '../tokens/token-counter.js';
import { outputTokensSeen } from './output-tokens.js';

/** An answer that ended before its provider said what it used. */
export interface Unfinished {
  readonly request: CountedRequest;
  /** Tokens of the request, where they were counted before; null or absent = count them. */
  readonly inputTokens?: number | null;
  /** null: nothing came. */
  readonly response: Readonly<ResponseFacts> | null;
  /** `provider/model` that served it. */
  readonly target: string;
}

/** What an unfinished answer used, as near as can be told: counted in the tokens of the model that served it. */
export function estimateCutAnswer(
  counter: TokenCounter,
  { request, inputTokens, response, target }: Unfinished,
): EstimatedUsage {
  const family = tokenFamily(target);
  return estimateUsage({
    stated: response?.usage ?? null,
    statedAtBytes: response?.usageAtBytes ?? 0,
    contentBytes: response?.contentBytes ?? 0,
    contentTokens: response === null ? 0 : outputTokensSeen(counter, response, family),
    inputTokens: inputTokens ?? counter.estimateInput(request, family),
  });
}
