import { LRUCache } from 'lru-cache';
import type { MediaKind } from '../../dialects/content-keys.js';

/** Tokens that something which is no text takes up in the context. */
export interface MediaTokens {
  /** Of one part whose size is not known or does not matter, such as an image. */
  readonly typical: number;
  /** The most that one part takes; null = as many as fit into the context. */
  readonly most: number | null;
  /** Tokens for each byte of base64, on the average; 0 = the size does not matter. */
  readonly perByte: number;
}

/** Models whose tokens are made in the same way. */
export interface TokenFamily {
  readonly name: string;
  /** Tokens of this family for one of o200k, measured over recorded answers. */
  readonly multiplier: number;
  /** Tokens of the answer's own beginning. */
  readonly base: number;
  /** Tokens around each message. */
  readonly perItem: number;
  /** The beginning of the answer is part of the input of the Responses endpoint too. */
  readonly perAnswer: boolean;
  /** Tokens around each function that the model calls. */
  readonly perCall: number;
  /** Tokens that offering tools costs besides their definitions. */
  readonly tools: number;
  /** Tokens of a definition for one of its JSON: some models are shown it in a shorter form. */
  readonly definitions: number;
  readonly media: Readonly<Record<MediaKind, MediaTokens>>;
  /** Which tokenizer counts. */
  readonly counts: 'o200k' | 'word-pieces';
}

/** Sound at 16 kB a second (128 kbit/s), as base64. */
const SOUND_BYTES_PER_SECOND = 16_000 / 0.75;
/** A page of a document as base64: about 50 kB and 1,500 tokens. */
const DOCUMENT_TOKENS_PER_BYTE = 1_500 / 50_000;

const DOCUMENT: MediaTokens = { typical: 5_000, most: null, perByte: DOCUMENT_TOKENS_PER_BYTE };

function media(image: MediaTokens, soundTokensPerSecond: number): TokenFamily['media'] {
  const audio = { typical: 600, most: null, perByte: soundTokensPerSecond / SOUND_BYTES_PER_SECOND };
  const video = { typical: 10_000, most: null, perByte: 300 / 250_000 };
  return { image, audio, video, file: DOCUMENT };
}

function image(typical: number, most: number): MediaTokens {
  return { typical, most, perByte: 0 };
}

const OPENAI: TokenFamily = {
  name: 'openai',
  multiplier: 1,
  base: 3,
  perItem: 4,
  perAnswer: true,
  perCall: 12,
  tools: 10,
  definitions: 0.6,
  // 85 + 170 for each of up to 8 tiles; newer models count patches, with up to 10,000 of them.
  media: media(image(765, 10_000), 10),
  counts: 'o200k',
};

/** The small model's images are counted at 33 times the larger one's tokens. */
const GPT_4O_MINI: TokenFamily = { ...OPENAI, name: 'gpt-4o-mini', media: media(image(25_501, 48_169), 10) };
const CLAUDE: TokenFamily = {
  ...OPENAI,
  name: 'claude',
  multiplier: 1.16,
  base: 0,
  tools: 346,
  definitions: 1.2,
  // Width × height ÷ 750, scaled down to 1.15 megapixels.
  media: media(image(1_500, 1_640), 0),
};
/** The text that explains tools to the model has grown. */
const CLAUDE_4_5: TokenFamily = { ...CLAUDE, name: 'claude-4.5', tools: 480 };
const CLAUDE_4_7: TokenFamily = {
  ...CLAUDE_4_5,
  name: 'claude-4.7',
  multiplier: 1.49,
  media: media(image(2_000, 4_784), 0),
};
const GEMINI: TokenFamily = {
  ...OPENAI,
  name: 'gemini',
  multiplier: 1.07,
  base: 0,
  perItem: 0,
  tools: 0,
  definitions: 0.75,
  media: media(image(1_120, 5_160), 32),
};
const MISTRAL: TokenFamily = {
  ...OPENAI,
  name: 'mistral',
  multiplier: 1.07,
  definitions: 1,
  media: media(image(1_500, 4_160), 8),
};
const LLAMA: TokenFamily = {
  ...OPENAI,
  name: 'llama',
  multiplier: 1.03,
  tools: 150,
  definitions: 1.25,
  media: media(image(1_500, 6_500), 10),
};
const OTHER: TokenFamily = {
  ...OPENAI,
  name: 'other',
  multiplier: 1.05,
  tools: 150,
  definitions: 1,
  media: media(image(1_500, 16_384), 10),
};
const MOCK: TokenFamily = {
  ...OPENAI,
  name: 'mock',
  perItem: 3,
  perAnswer: false,
  perCall: 0,
  tools: 0,
  definitions: 1,
  media: media(image(0, 0), 0),
  counts: 'word-pieces',
};

/** The first that fits wins. Names are `provider/model` or a model's name, in lower case. */
const BY_NAME: readonly (readonly [RegExp, TokenFamily])[] = [
  [/^mock\//, MOCK],
  [/claude|^anthropic\//, CLAUDE],
  [/gemini|gemma/, GEMINI],
  [/(?:mi[sx]tr|codestr|devstr|pixtr|voxtr|ministr|magistr)al/, MISTRAL],
  [/llama|deepseek/, LLAMA],
  [/gpt-4o-mini/, GPT_4O_MINI],
  [/gpt|(?:^|\/)o\d|davinci|babbage|text-embedding|^openai\/|^azure\//, OPENAI],
];

/** Claude's tokens have changed twice; from version 4.7 on, it makes about half as many again. */
const CLAUDE_VERSION = /(?:opus|sonnet|haiku|fable|mythos)-(\d{1,2})(?!\d)(?:[-.](\d)(?!\d))?/;

/** Asked for at the end of every request. */
const known = new LRUCache<string, TokenFamily>({ max: 1_000 });

/** The family of a model by its name; unknown names get a middle way. */
export function tokenFamily(name: string): TokenFamily {
  const seen = known.get(name);
  if (seen !== undefined) return seen;
  const family = familyOf(name);
  known.set(name, family);
  return family;
}

function familyOf(name: string): TokenFamily {
  const lower = name.toLowerCase();
  const family = BY_NAME.find(([pattern]) => pattern.test(lower))?.[1] ?? OTHER;
  if (family !== CLAUDE) return family;
  const [, major, minor] = CLAUDE_VERSION.exec(lower) ?? [];
  const version = Number(`${major ?? 0}.${minor ?? 0}`);
  if (version >= 4.7) return CLAUDE_4_7;
  return version >= 4.5 ? CLAUDE_4_5 : CLAUDE;
}
