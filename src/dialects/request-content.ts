import type { RequestFacts } from './request-facts.js';

export type MediaKind = 'image' | 'audio' | 'video' | 'file';

export interface MediaCount {
  readonly parts: number;
  /** Bytes of base64 in the body; parts named by a link or an id have none. */
  readonly inlineBytes: number;
  /** Parts named by a link or an id: their size is not known. */
  readonly linked: number;
}

/** What a request's body holds for the model to read. */
export interface RequestContent {
  /** Bytes of text literals as written: no tokenizer makes more tokens of them. */
  readonly textBytes: number;
  /** The first text literals as offsets in pairs, start and end, without their quotes. Definitions of tools are one literal. */
  readonly texts: readonly number[];
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

/** Literals whose places are kept; the texts behind them are only measured. */
const MAX_TEXTS = 4_096;
/** Work that takes about two milliseconds: a byte between literals is one, a literal is worth so many bytes. */
const BUDGET = 600_000;
const LITERAL_WORK = 24;
const LONGEST_KEY = 32;

type TopKey = 'messages' | 'definitions' | 'other';

/** Members of the body that the model reads; whatever is not in here (`model`, `user`, `metadata`, `stop`…) costs nothing. */
const TOP_KEYS: ReadonlyMap<string, TopKey> = new Map([
  ['messages', 'messages'],
  ['input', 'messages'],
  ['prompt', 'messages'],
  ['suffix', 'messages'],
  ['instructions', 'messages'],
  ['system', 'messages'],
  ['contents', 'messages'],
  ['query', 'messages'],
  ['documents', 'messages'],
  ['tools', 'definitions'],
  ['functions', 'definitions'],
  ['response_format', 'definitions'],
  ['text', 'definitions'],
]);

/** Values that say how the text is to be read: they are in the few tokens of each item. */
const STRUCTURE: ReadonlySet<string> = new Set(
  'role type id call_id tool_call_id detail format status media_type mime_type filename ttl phase'.split(' '),
);

const MEDIA_KEYS: ReadonlyMap<string, MediaKind> = new Map([
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['input_audio', 'audio'],
  ['audio_url', 'audio'],
  ['video_url', 'video'],
  ['file', 'file'],
  ['file_url', 'file'],
  ['file_id', 'file'],
  ['file_data', 'file'],
  ['source', 'file'],
  ['inline_data', 'file'],
]);
/** In an object under one of `MEDIA_KEYS`: where the thing itself stands. */
const MEDIA_VALUES: ReadonlySet<string> = new Set(['url', 'data', 'file_data', 'file_id', 'file_uri', 'uri']);
const INLINE_VALUES: ReadonlySet<string> = new Set(['data', 'file_data']);

const known = new WeakMap<RequestFacts, RequestContent>();

/**
 * Looks through a JSON body that a scan has accepted; once for each request, and only when something must be estimated.
 * Never takes more than a few milliseconds. A form has no text: its file is one part of sound.
 */
export function readContent(body: Buffer, facts: RequestFacts): RequestContent {
  let content = known.get(facts);
  if (content === undefined) {
    content = facts.json === null ? formContent(body) : new ContentWalk(body, facts.json.root).result();
    known.set(facts, content);
  }
  return content;
}

function formContent(body: Buffer): RequestContent {
  const none = { parts: 0, inlineBytes: 0, linked: 0 };
  const media = { image: none, audio: { ...none, parts: 1, inlineBytes: body.length }, video: none, file: none };
  return { textBytes: 0, texts: [], items: 0, tokenIds: 0, media, mediaBytes: body.length, unread: 0 };
}

interface Level {
  readonly object: boolean;
  /** Key of the member in hand; in a list the one that the list stands under. */
  key: string;
  /** What comes next is a key. */
  expectsKey: boolean;
}

class ContentWalk {
  readonly #body: Buffer;
  readonly #levels: Level[] = [];
  readonly #texts: number[] = [];
  readonly #media = { image: counter(), audio: counter(), video: counter(), file: counter() };
  #top: TopKey | null = null;
  #definitionsFrom = -1;
  #textBytes = 0;
  #items = 0;
  #tokenIds = 0;
  #mediaBytes = 0;
  #at: number;
  #work = BUDGET;

  constructor(body: Buffer, root: number) {
    this.#body = body;
    this.#at = root;
    while (this.#at < body.length && this.#work > 0) this.#step(body[this.#at] as number);
  }

  result(): RequestContent {
    return {
      textBytes: this.#textBytes,
      texts: this.#texts,
      items: this.#items,
      tokenIds: this.#tokenIds,
      media: this.#media,
      mediaBytes: this.#mediaBytes,
      unread: this.#body.length - this.#at,
    };
  }

  /** Handles what stands at `#at` and goes behind it. */
  #step(byte: number) {
    this.#work -= 1;
    if (byte === 0x22) return this.#literal();
    if (byte === 0x7b || byte === 0x5b) this.#open(byte === 0x7b);
    else if (byte === 0x7d || byte === 0x5d) this.#close();
    else if (byte === 0x2c) this.#next();
    else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.#number();
    this.#at += 1;
  }

  #literal() {
    const start = this.#at + 1;
    const end = this.#literalEnd(start);
    if (end < 0) return;
    this.#at = end + 1;
    const level = this.#levels.at(-1);
    if (level?.expectsKey) this.#key(level, start, end);
    else if (this.#top === 'messages') this.#value(level?.key ?? '', start, end);
  }

  /** Offset of the quote that closes the literal beginning at `start`; -1 when that is too much work. */
  #literalEnd(start: number): number {
    const body = this.#body;
    for (let from = start; this.#work > 0; ) {
      const quote = body.indexOf(0x22, from);
      let before = quote - 1;
      while (before >= start && body[before] === 0x5c && quote - before <= this.#work) before -= 1;
      this.#work -= LITERAL_WORK + ((quote - from) >> 8) + (quote - 1 - before);
      if ((quote - 1 - before) % 2 === 0) return quote;
      from = quote + 1;
    }
    this.#work = 0;
    return -1;
  }

  #key(level: Level, start: number, end: number) {
    level.expectsKey = false;
    level.key = end - start > LONGEST_KEY ? '' : this.#body.toString('latin1', start, end);
    if (this.#levels.length === 1) this.#top = TOP_KEYS.get(level.key) ?? null;
  }

  #value(key: string, start: number, end: number) {
    if (STRUCTURE.has(key)) return;
    const kind = this.#mediaKind(key, start);
    if (kind === null) this.#text(start, end);
    else this.#part(kind, end - start, INLINE_VALUES.has(key) || isDataUrl(this.#body, start));
  }

  #mediaKind(key: string, start: number): MediaKind | null {
    if (isDataUrl(this.#body, start)) return dataUrlKind(this.#body, start);
    const own = MEDIA_KEYS.get(key);
    if (own !== undefined) return own;
    return MEDIA_VALUES.has(key) ? (MEDIA_KEYS.get(this.#levels.at(-2)?.key ?? '') ?? null) : null;
  }

  #part(kind: MediaKind, bytes: number, inline: boolean) {
    const count = this.#media[kind];
    count.parts += 1;
    if (inline) {
      count.inlineBytes += bytes;
      this.#mediaBytes += bytes;
    } else count.linked += 1;
  }

  #text(start: number, end: number) {
    this.#textBytes += end - start;
    if (end > start && this.#texts.length < 2 * MAX_TEXTS) this.#texts.push(start, end);
  }

  #open(object: boolean) {
    const depth = this.#levels.length;
    if (depth === 1 && this.#top === 'definitions') this.#definitionsFrom = this.#at;
    if (depth === 2 && object && this.#top === 'messages') this.#items += 1;
    this.#levels.push({ object, key: object ? '' : (this.#levels.at(-1)?.key ?? ''), expectsKey: object });
  }

  #close() {
    this.#levels.pop();
    if (this.#levels.length !== 1 || this.#definitionsFrom < 0) return;
    this.#text(this.#definitionsFrom, this.#at + 1);
    this.#definitionsFrom = -1;
  }

  #next() {
    const level = this.#levels.at(-1);
    if (level?.object) level.expectsKey = true;
  }

  #number() {
    const start = this.#at;
    const body = this.#body;
    while (isNumberByte(body[this.#at])) this.#at += 1;
    if (this.#top === 'messages' && this.#levels.at(-1)?.object === false) this.#tokenIds += 1;
    this.#work -= this.#at - start;
  }
}

function counter(): { parts: number; inlineBytes: number; linked: number } {
  return { parts: 0, inlineBytes: 0, linked: 0 };
}

/** `data:`, in which case the rest is base64. */
function isDataUrl(body: Buffer, start: number): boolean {
  return body[start] === 0x64 && body.toString('latin1', start, start + 5) === 'data:';
}

function dataUrlKind(body: Buffer, start: number): MediaKind {
  const type = body.toString('latin1', start + 5, start + 11);
  if (type === 'image/') return 'image';
  if (type === 'audio/') return 'audio';
  return type === 'video/' ? 'video' : 'file';
}

function isNumberByte(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2e || byte === 0x65);
}
