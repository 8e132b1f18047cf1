import type { MediaKind } from './content-keys.js';

export interface MediaCount {
  readonly parts: number;
  /** Bytes of base64 in the body; parts named by a link or an id have none. */
  readonly inlineBytes: number;
  /** Parts named by a link or an id: their size is not known. */
  readonly linked: number;
}

/** Literals of a body. */
export interface Literals {
  /** Bytes of all of them as written: no tokenizer makes more tokens of them. */
  readonly bytes: number;
  /** The first of them as offsets in pairs, start and end, without their quotes. */
  readonly places: readonly number[];
}

/** What a request's body holds for the model to read, in any dialect. */
export interface RequestContent {
  /** What was said. Arguments of calls and results that are JSON are one literal each. */
  readonly texts: Literals;
  /** Tools and schemas, each list or object one literal. */
  readonly definitions: Literals;
  /** Messages or input items: each costs a few tokens besides its text. */
  readonly items: number;
  /** Tokens that came as numbers. */
  readonly tokenIds: number;
  readonly media: Readonly<Record<MediaKind, MediaCount>>;
  /** Bytes of media inside the body: they are no text. */
  readonly mediaBytes: number;
  /** Bytes at the end that were not looked at, because the body has too many small values. */
  readonly unread: number;
}
