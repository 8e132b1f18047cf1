import type { MediaKind } from '../../dialects/content-keys.js';
import type { MediaCount, RequestContent } from '../../dialects/content-shape.js';
import { readContent } from '../../dialects/request-content.js';
import type { RequestFacts } from '../../dialects/request-facts.js';
import type { MediaTokens, TokenFamily } from './families.js';

/** A file that is only named could be a book; where the model's context is known, that is the bound. */
const LARGEST_UNSEEN = 200_000;
const KINDS: readonly MediaKind[] = ['image', 'audio', 'video', 'file'];

/** Tokens of all that is no text, as they usually are. */
export function mediaTokens(content: RequestContent, family: TokenFamily): number {
  return sumOver(content, family, ({ parts, inlineBytes, linked }, { typical, perByte }) =>
    perByte === 0 ? parts * typical : Math.ceil(inlineBytes * perByte) + linked * typical,
  );
}

/** A body that a scan has accepted, with what the scan found. */
export interface CountedRequest {
  readonly body: Buffer;
  readonly facts: RequestFacts;
}

export interface UpperInput {
  readonly request: CountedRequest;
  readonly family: TokenFamily;
  /** Tokens that fit into the model; null = not known. */
  readonly contextWindow: number | null;
}

/**
 * The most tokens that the request can have: no tokenizer makes more tokens than bytes, an image has a largest size, and a
 * provider refuses what does not fit into the model.
 */
export function inputTokensUpper({ request, family, contextWindow }: UpperInput): number {
  const { body, facts } = request;
  const content = readContent(body, facts);
  const text = body.length - content.mediaBytes + (facts.tools ? family.tools : 0);
  const media = sumOver(content, family, ({ parts, inlineBytes, linked }, { most, perByte }) => {
    if (most !== null) return parts * most;
    // Sound at 8 kbit/s has sixteen times the tokens of sound at 128.
    return Math.max(inlineBytes, Math.ceil(inlineBytes * perByte * 16)) + linked * LARGEST_UNSEEN;
  });
  return Math.min(text + media, contextWindow ?? Number.MAX_SAFE_INTEGER);
}

function sumOver(
  content: RequestContent,
  family: TokenFamily,
  tokens: (count: MediaCount, rate: MediaTokens) => number,
): number {
  return KINDS.reduce((sum, kind) => sum + tokens(content.media[kind], family.media[kind]), 0);
}
