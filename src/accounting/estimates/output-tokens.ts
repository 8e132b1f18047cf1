import type { ResponseFacts } from '../../dialects/response-reader.js';
import { bytesToTokens } from '../estimate.js';
import type { TokenFamily } from '../tokens/families.js';
import type { TokenCounter } from '../tokens/token-counter.js';

/** What was seen of an answer's content. */
export type SeenContent = Pick<
  ResponseFacts,
  'contentBytes' | 'contentEvents' | 'toolCalls' | 'sample' | 'usageAtBytes'
>;

/** So far may the number of events be from the tokenizer's count to be taken for the number of tokens. */
const NEAR = { least: 0.8, most: 1.25 };

/**
 * Output tokens of the content that was seen, with calls of functions. A provider that sends each token in an event of its own
 * is taken at its word: over recorded streams that is exact, where a tokenizer of another vendor is up to a tenth off.
 * @param sampleBytes how much of the sample is counted and stands for the rest
 */
export function outputTokensSeen(
  counter: TokenCounter,
  seen: SeenContent,
  family: TokenFamily,
  sampleBytes = seen.sample.length,
): number {
  if (seen.contentBytes === 0) return 0;
  const sample = Math.min(sampleBytes, seen.sample.length);
  if (sample === 0) return bytesToTokens(seen.contentBytes);
  const sampled = counter.countText(seen.sample.text(sample), family);
  const counted = Math.ceil((sampled * seen.contentBytes) / sample);
  return tokensOf(seen.contentEvents, counted, family) + seen.toolCalls * family.perCall;
}

function tokensOf(events: number, counted: number, family: TokenFamily): number {
  // The words of several answers that come in turns run together, so there the events are the least.
  if (family.counts === 'word-pieces') return Math.max(events, counted);
  const near = events >= counted * NEAR.least && events <= counted * NEAR.most;
  return near ? events : counted;
}

/** Tokenizers seldom need fewer than one token for so many bytes: below that, counting is not worth its time. */
const BYTES_PER_TOKEN = 5;
const FAR_BELOW = 1.5;
/**
 * What its beginning says of an answer is nearly always clear enough: more of it is counted only in between. The less is counted,
 * the clearer it has to be.
 */
const BEGINNINGS = [
  { bytes: 32, near: 3, far: 4 },
  { bytes: 256, near: 1.25, far: 2 },
];
const COUNTED_BYTES = 4096;

/** The provider states far fewer output tokens than the content can have. Its number is booked all the same. */
export function statesTooLittle(
  counter: TokenCounter,
  answer: SeenContent & Pick<ResponseFacts, 'usage'>,
  family: TokenFamily,
): boolean {
  const { usage, contentBytes } = answer;
  if (usage === null) return false;
  const stated = usage.output + usage.reasoning + usage.output_audio;
  if (contentBytes <= stated * BYTES_PER_TOKEN) return false;
  const bound = Math.max(1, stated) * FAR_BELOW;
  for (const { bytes, near, far } of BEGINNINGS) {
    const seen = outputTokensSeen(counter, answer, family, bytes);
    if (seen > bound * far) return true;
    if (seen * near < bound) return false;
  }
  return outputTokensSeen(counter, answer, family, COUNTED_BYTES) > bound;
}
