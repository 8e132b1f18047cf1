import {
  INLINE_VALUES,
  JSON_KEYS,
  keyAt,
  MEDIA_KEYS,
  MEDIA_LITERALS,
  MEDIA_VALUES,
  type MediaKind,
  MIME_KEYS,
  mimeKind,
  OPAQUE,
  REPEATED,
  SCHEMA_KEYS,
  SOURCE_KEYS,
  STRUCTURE,
  TOP_KEYS,
  type TopKey,
} from './content-keys.js';
import type { Literals, RequestContent } from './content-shape.js';
import type { RequestFacts } from './request-facts.js';

/** Literals whose places are kept; the texts behind them are only measured. */
const MAX_TEXTS = 4_096;
/** Work that takes about two milliseconds: a byte between literals is one, a literal or a container is worth so many bytes. */
const BUDGET = 600_000;
const LITERAL_WORK = 24;
const CONTAINER_WORK = 16;
const LONGEST_TYPE = 40;
const QUOTE = 0x22;
const LOOKED_AT = 24;

/**
 * Looks through a JSON body that a scan has accepted; once for each request, and only when something must be estimated.
 * Never takes more than a few milliseconds. A form has no text: its file is one part of sound.
 */
export function readContent(body: Buffer, facts: RequestFacts): RequestContent {
  facts.content ??= facts.json === null ? formContent(body) : new ContentWalk(body, facts.json.root).result();
  return facts.content;
}

function formContent(body: Buffer): RequestContent {
  const none = { parts: 0, inlineBytes: 0, linked: 0 };
  const media = { image: none, audio: { ...none, parts: 1, inlineBytes: body.length }, video: none, file: none };
  const nothing: Literals = { bytes: 0, places: [] };
  return { texts: nothing, definitions: nothing, items: 0, tokenIds: 0, media, mediaBytes: body.length, unread: 0 };
}

interface Level {
  readonly object: boolean;
  /** Key of the member in hand; in a list the one that the list stands under. */
  key: string;
  /** What comes next is a key. */
  expectsKey: boolean;
  /** The object's own `type` and MIME type, as far as they were seen. */
  type: string;
  mime: MediaKind | null;
  /** Media found in it whose kind is not known before it ends. */
  source: Source | null;
}

interface Source {
  readonly start: number;
  readonly end: number;
  readonly inline: boolean;
  /** How sure it is to be media: `data` may be anything; a `handed` one came from the object inside. */
  readonly found: 'data' | 'source' | 'handed';
}

class ContentWalk {
  readonly #body: Buffer;
  readonly #levels: Level[] = [];
  readonly #texts = new Found();
  readonly #definitions = new Found();
  readonly #media = { image: counter(), audio: counter(), video: counter(), file: counter() };
  #top: TopKey | null = null;
  /** A container that is read as one literal: where it begins and how many levels are around it; -1 = none is open. */
  #wholeFrom = -1;
  #wholeDepth = 0;
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
      texts: this.#texts,
      definitions: this.#definitions,
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
    if (byte === QUOTE) return this.#literal();
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
    if (level === undefined) return;
    if (level.expectsKey) this.#key(level, start, end);
    else if (this.#wholeFrom < 0 && isRead(this.#top)) this.#value(level, start, end);
  }

  /** Offset of the quote that closes the literal beginning at `start`; -1 when that is too much work. */
  #literalEnd(start: number): number {
    const body = this.#body;
    for (let from = start; this.#work > 0; ) {
      const quote = quoteFrom(body, from);
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
    level.key = keyAt(this.#body, start, end);
    if (this.#levels.length === 1) this.#top = TOP_KEYS.get(level.key) ?? null;
  }

  #value(level: Level, start: number, end: number) {
    const { key } = level;
    if (key === 'type') level.type = this.#word(start, end);
    else if (MIME_KEYS.has(key)) level.mime = mimeKind(this.#word(start, end));
    else if (STRUCTURE.has(key) || OPAQUE.has(key)) return;
    else if (isDataUrl(this.#body, start)) this.#part(dataUrlKind(this.#body, start), end - start, true);
    else if (!this.#mediaValue(level, start, end)) this.#texts.add(start, end);
  }

  /** True when the literal stands for something that is no text. */
  #mediaValue(level: Level, start: number, end: number): boolean {
    const { key } = level;
    const around = this.#levels.at(-2)?.key ?? '';
    const inline = INLINE_VALUES.has(key);
    const own = MEDIA_LITERALS.get(key) ?? (MEDIA_VALUES.has(key) ? MEDIA_KEYS.get(around) : undefined);
    const isSource = MEDIA_VALUES.has(key) && SOURCE_KEYS.has(around);
    if (isSource || (key === 'data' && own === undefined)) {
      level.source = { start, end, inline, found: isSource ? 'source' : 'data' };
    } else if (own !== undefined) this.#part(own, end - start, inline);
    else return false;
    return true;
  }

  #word(start: number, end: number): string {
    return this.#body.toString('latin1', start, Math.min(end, start + LONGEST_TYPE));
  }

  #part(kind: MediaKind, bytes: number, inline: boolean) {
    const count = this.#media[kind];
    count.parts += 1;
    if (inline) {
      count.inlineBytes += bytes;
      this.#mediaBytes += bytes;
    } else count.linked += 1;
  }

  #open(object: boolean) {
    this.#work -= CONTAINER_WORK;
    const depth = this.#levels.length;
    const key = this.#levels.at(-1)?.key ?? '';
    if (this.#wholeFrom < 0 && this.#isWhole(object, depth, key)) {
      this.#wholeFrom = this.#at;
      this.#wholeDepth = depth;
    }
    if (depth === 2 && object && this.#top === 'messages') this.#items += 1;
    this.#levels.push({ object, key: object ? '' : key, expectsKey: object, type: '', mime: null, source: null });
  }

  /** Whether the container that begins is read as it is written. */
  #isWhole(object: boolean, depth: number, key: string): boolean {
    if (this.#top === 'definitions') return depth === 1;
    if (this.#top === 'settings') return depth === 2 && SCHEMA_KEYS.has(key);
    return isRead(this.#top) && depth > 2 && (REPEATED.has(key) || (object && JSON_KEYS.has(key)));
  }

  #close() {
    const level = this.#levels.pop();
    if (this.#wholeFrom >= 0 && this.#levels.length === this.#wholeDepth) this.#closeWhole();
    else if (level?.source) this.#settle(level, level.source);
  }

  #closeWhole() {
    const found = isRead(this.#top) ? this.#texts : this.#definitions;
    const isEmpty = this.#at - this.#wholeFrom === 1;
    if (!isEmpty && !REPEATED.has(this.#levels.at(-1)?.key ?? '')) found.add(this.#wholeFrom, this.#at + 1);
    this.#wholeFrom = -1;
  }

  /** The object that holds media has ended, so its kind is known, or known by the block around it. */
  #settle(level: Level, source: Source) {
    const { start, end, inline, found } = source;
    const parent = this.#levels.at(-1);
    const kind = level.mime ?? MEDIA_KEYS.get(level.type) ?? null;
    // Thoughts that only Anthropic can read; its plain text in the place of a document.
    if (level.type === 'redacted_thinking') return;
    if (level.type === 'text' || (found === 'data' && kind === null)) this.#texts.add(start, end);
    else if (kind !== null) this.#part(kind, end - start, inline);
    else if (found === 'source' && parent?.object) parent.source = { ...source, found: 'handed' };
    else this.#part(MEDIA_KEYS.get(parent?.key ?? '') ?? 'file', end - start, inline);
  }

  #next() {
    const level = this.#levels.at(-1);
    if (level?.object) level.expectsKey = true;
  }

  #number() {
    const start = this.#at;
    const body = this.#body;
    while (isNumberByte(body[this.#at])) this.#at += 1;
    if (this.#top === 'messages' && this.#wholeFrom < 0 && this.#levels.at(-1)?.object === false) this.#tokenIds += 1;
    this.#work -= this.#at - start;
  }
}

/** Most literals are short: a call to search costs more than to look. */
function quoteFrom(body: Buffer, from: number): number {
  for (let at = from; at < from + LOOKED_AT; at += 1) if (body[at] === QUOTE) return at;
  return body.indexOf(QUOTE, from + LOOKED_AT);
}

class Found implements Literals {
  readonly places: number[] = [];
  bytes = 0;

  add(start: number, end: number): void {
    this.bytes += end - start;
    if (end > start && this.places.length < 2 * MAX_TEXTS) this.places.push(start, end);
  }
}

/** What stands in it is said, not defined. */
function isRead(top: TopKey | null): boolean {
  return top === 'messages' || top === 'system';
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
