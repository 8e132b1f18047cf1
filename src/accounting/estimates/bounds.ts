import type { Target } from '../../config/snapshot.js';
import type { RequestContent } from '../../dialects/content-shape.js';
import type { Wire } from '../../dialects/endpoint.js';
import { readContent } from '../../dialects/request-content.js';
import type { RequestFacts } from '../../dialects/request-facts.js';
import { emptyUsage, type TokenClass, type Usage } from '../../dialects/usage.js';
import type { Amounts } from '../../store/counter-store.js';
import { costOf, ratePerMillion } from '../cost.js';
import type { Price } from '../price.js';
import type { PriceBook } from '../prices.js';
import { tokenFamily } from '../tokens/families.js';
import { inputTokensUpper } from '../tokens/media-tokens.js';

/** The most that a request can use. `cost` in nano-dollars; null: a target has no known price. */
export type Bounds = Omit<Amounts, 'cost'> & { readonly cost: number | null };

export interface BoundsAsk {
  /** The client's body and what its scan found. */
  readonly body: Buffer;
  readonly facts: RequestFacts;
  /** In the order of attempts; repeats cost nothing. */
  readonly targets: readonly Target[];
  readonly prices: PriceBook;
  /** Tokens of one choice where the client sets no bound. */
  readonly outputCap: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Of the key that pays, for its discounts. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** An image at its largest, from a model that is billed by the token. */
const TOKENS_PER_IMAGE = 6_240;
/** Sound at 8 kbit/s. */
const BYTES_PER_SECOND = 1_000;

/** Tokens of one choice. */
type OutputRule = (facts: RequestFacts, outputCap: number) => number;

const none: OutputRule = () => 0;
const answers: OutputRule = (facts, outputCap) => facts.maxOutputTokens ?? outputCap;

const OUTPUT: Readonly<Record<Wire, OutputRule>> = {
  'openai-chat': answers,
  'openai-completions': answers,
  'openai-responses': answers,
  'openai-embeddings': none,
  'openai-moderations': none,
  'openai-images': () => TOKENS_PER_IMAGE,
  'openai-speech': answers,
  'openai-transcription': answers,
  'openai-models': none,
  'openai-realtime': answers,
  'anthropic-messages': answers,
  'anthropic-count-tokens': none,
  'gemini-generate': answers,
  'gemini-count-tokens': none,
  'gemini-embed': none,
  'vertex-predict': none,
  'bedrock-converse': answers,
  'bedrock-count-tokens': none,
  'bedrock-embed': none,
  'cohere-embed': none,
  'voyage-embed': none,
  rerank: none,
  'jina-rerank': none,
  'voyage-rerank': none,
  raw: none,
};

/**
 * Upper bounds for a hold: every number is a whole one from 0 to the largest safe integer. Each target has its own tokenizer,
 * context and price; the largest of each number counts, so that any of them may serve the request (design 6.8).
 */
export function boundsOf(ask: BoundsAsk): Bounds {
  const content = readContent(ask.body, ask.facts);
  let [input, output] = [0, 0];
  let cost: number | null = 0;
  let before: Target | null = null;
  for (const target of ask.targets) {
    // Mostly there is one, which is tried again.
    if (target === before) continue;
    before = target;
    const price = ask.prices.find(target, ask.at, ask.labels);
    const most = mostOf(ask, { target, price });
    input = Math.max(input, most.input);
    output = Math.max(output, most.output);
    const total = price === null ? null : dearestCost(ask, content, { ...most, price });
    cost = cost === null || total === null ? null : Math.max(cost, total);
  }
  return { requests: 1, input_tokens: input, output_tokens: output, tokens: safe(input + output), cost };
}

interface Most {
  readonly input: number;
  readonly output: number;
}

function mostOf(ask: BoundsAsk, { target, price }: { readonly target: Target; readonly price: Price | null }): Most {
  const contextWindow = windowOf(target) ?? price?.contextWindow ?? null;
  const family = tokenFamily(target.name);
  const input = inputTokensUpper({ request: ask, family, contextWindow });
  const one = OUTPUT[ask.facts.wire](ask.facts, ask.outputCap);
  return { input: safe(input), output: safe(ask.facts.choices * Math.min(one, contextWindow ?? one)) };
}

/** A target in a configured model's list may say how much it takes. */
function windowOf(target: Target & { readonly contextWindow?: number | null }): number | null {
  return target.contextWindow ?? null;
}

/** All tokens in the dearest class that this request can lead to: caches are written, answers spoken, sound heard. */
function dearestCost(ask: BoundsAsk, content: RequestContent, most: Most & { readonly price: Price }): number | null {
  const { facts, body } = ask;
  const { price, input, output } = most;
  const reads: TokenClass[] = ['input', 'cache_write_5m'];
  // A write that lasts for an hour is asked for in the body; without a price of its own it is one of five minutes.
  if (price.rates.cache_write_1h && body.includes('"1h"')) reads.push('cache_write_1h');
  if (content.media.audio.parts > 0) reads.push('input_audio');
  if (content.media.image.parts > 0) reads.push('input_image');
  const writes: TokenClass[] = ['output', 'reasoning'];
  if (facts.speaks || facts.wire === 'openai-speech') writes.push('output_audio');
  const usage = emptyUsage();
  usage[dearest(reads, price, input)] = input;
  if (output > 0) usage[dearest(writes, price, input)] = output;
  addUnits(usage, ask);
  // A model that is sold by the unit alone has no price for tokens.
  if (usage.audio_seconds > 0 && price.units.audio_seconds && !price.rates.input) {
    usage.input = 0;
    usage.output = 0;
  }
  const { total } = costOf(usage, price);
  return total === null ? null : safe(total);
}

/** Models are billed by tokens or by units; a price for both would be held twice, which is safe. */
function addUnits(usage: Usage, { facts, body }: BoundsAsk): void {
  if (facts.wire === 'openai-images') usage.images = facts.choices;
  if (facts.wire === 'openai-transcription') usage.audio_seconds = Math.ceil(body.length / BYTES_PER_SECOND);
  if (facts.wire === 'openai-speech') usage.characters = body.length;
}

function dearest(classes: readonly TokenClass[], price: Price, context: number): TokenClass {
  let best: TokenClass = classes[0] ?? 'input';
  for (const name of classes) {
    if ((ratePerMillion(name, price, context) ?? 0n) > (ratePerMillion(best, price, context) ?? 0n)) best = name;
  }
  return best;
}

function safe(amount: number): number {
  return Math.min(amount, Number.MAX_SAFE_INTEGER);
}
