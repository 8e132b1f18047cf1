import { countTokens as countWordPieces } from '../../codec/word-pieces.js';
import type { RequestContent } from '../../dialects/content-shape.js';
import type { Wire } from '../../dialects/endpoint.js';
import { readContent } from '../../dialects/request-content.js';
import type { RequestFacts } from '../../dialects/request-facts.js';
import { type TokenFamily, tokenFamily } from './families.js';
import { type InputTexts, inputTexts } from './input-texts.js';
import { type CountedRequest, inputTokensUpper, mediaTokens } from './media-tokens.js';
import { type CountPiece, sumTokens, type TextBudget } from './text-tokens.js';

/** Tokens before a provider has said how many there are. No call takes more than a few milliseconds. */
export interface TokenCounter {
  /** Loads the tokenizer (once; a tenth of a second of one turn). Until then, words are counted: some 10 % off. */
  prepare(): Promise<void>;
  /** Tokens of a text that the model wrote. Of a long text a part is counted and stands for the rest. */
  countText(text: string, family: TokenFamily): number;
  /**
   * Tokens of what the request sends, media and definitions of tools included; never above `inputTokensUpper`.
   * Without a family, that of the model that was asked for.
   * @param sampleBytes how much of the text is counted and stands for the rest; a tenth of a microsecond for each
   */
  estimateInput(request: CountedRequest, family?: TokenFamily, sampleBytes?: number): number;
}

export interface TokenCounterOptions {
  /** Loads the tokenizer of the o200k vocabulary. */
  readonly load: () => Promise<CountPiece>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Told when the tokenizer cannot be loaded; words are counted for good then. */
  readonly onProblem: (error: unknown) => void;
}

/** Words are no tokens: so many of o200k for one word piece, over the same recordings. */
const FALLBACK_MULTIPLIER = 1.05;
const BUDGET_MS = 2;
const SAID_BYTES = 15 * 1024;
/** Definitions are all of a kind: less of them is enough. */
const DEFINED_BYTES = 6 * 1024;
const BYTES_PER_TOKEN = 4;

export function createTokenCounter(options: TokenCounterOptions): TokenCounter {
  let o200k: CountPiece | null = null;
  let loading: Promise<void> | null = null;
  const prepare = (): Promise<void> => {
    loading ??= options.load().then(
      (count) => {
        o200k = count;
      },
      (error: unknown) => options.onProblem(error),
    );
    return loading;
  };
  const budgetFor = (family: TokenFamily): Budget => {
    const limits = { now: options.now, ms: BUDGET_MS };
    if (family.counts === 'word-pieces') return { ...limits, count: countWordPieces, multiplier: 1 };
    if (o200k !== null) return { ...limits, count: o200k, multiplier: family.multiplier };
    void prepare();
    return { ...limits, count: countWordPieces, multiplier: family.multiplier * FALLBACK_MULTIPLIER };
  };
  return {
    prepare,
    countText(text, family) {
      const budget = budgetFor(family);
      return Math.ceil(sumTokens([text], budget) * budget.multiplier);
    },
    estimateInput(request, family = tokenFamily(request.facts.model), sampleBytes = SAID_BYTES) {
      const { body, facts } = request;
      const content = readContent(body, facts);
      const budget = budgetFor(family);
      const said = tokensOf(inputTexts(body, content.texts, { bytes: sampleBytes, unread: content.unread }), budget);
      const sampling = { bytes: Math.min(DEFINED_BYTES, sampleBytes), unread: 0 };
      const defined = tokensOf(inputTexts(body, content.definitions, sampling), budget);
      const counted = said + defined * family.definitions;
      // One literal that is too much work to look through.
      const unseen = content.texts.bytes === 0 ? content.unread / BYTES_PER_TOKEN : 0;
      const framed = frameTokens(facts, content, family) + mediaTokens(content, family) + content.tokenIds;
      const upper = inputTokensUpper({ request, family, contextWindow: null });
      return Math.min(Math.ceil(counted + unseen) + framed, upper);
    },
  };
}

/** Endpoints where the beginning of the answer is part of the input. */
const TALKS: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'anthropic-messages',
  'anthropic-count-tokens',
  'gemini-generate',
  'gemini-count-tokens',
  'bedrock-converse',
  'bedrock-count-tokens',
]);

interface Budget extends TextBudget {
  /** Of the family: its tokens for one that is counted. */
  readonly multiplier: number;
}

function tokensOf({ texts, weight }: InputTexts, budget: Budget): number {
  return sumTokens(texts, budget) * budget.multiplier * weight;
}

/**
 * Tokens around the texts. A Responses request of one text is one of one message. Providers count the beginning of the answer
 * there as in chat (recorded: 12 + 6 and 5 + 6 tokens for one message); the mock does not.
 */
function frameTokens(facts: RequestFacts, content: RequestContent, family: TokenFamily): number {
  const isResponses = facts.wire === 'openai-responses';
  const items = isResponses ? Math.max(1, content.items) : content.items;
  const base = TALKS.has(facts.wire) || (isResponses && family.perAnswer) ? family.base : 0;
  return base + items * family.perItem + (facts.tools ? family.tools : 0);
}
