import { isUtf8 } from 'node:buffer';
import { decodeKey, OpenObjectKeys } from './json-keys.js';
import { StringWalker } from './json-string.js';

export type JsonKind = 'string' | 'number' | 'true' | 'false' | 'null' | 'object' | 'array';

/** Where a watched value lies: bytes [start, end) of the body, quotes and brackets included. */
export interface JsonMember {
  readonly kind: JsonKind;
  readonly start: number;
  readonly end: number;
  /** For containers: nothing inside but white space. */
  readonly empty: boolean;
}

export interface JsonScanOptions {
  /** Top-level keys (`model`) and keys one level below (`stream_options.include_usage`) whose values are wanted. */
  readonly watch: WatchedKeys;
  readonly maxDepth: number;
  readonly maxKeys: number;
}

/** Built once, used for every body: the names to watch, and each by its spelling without regard to case. */
export class WatchedKeys {
  readonly names: ReadonlySet<string>;
  readonly folded: ReadonlyMap<string, string>;

  constructor(names: readonly string[]) {
    this.names = new Set(names);
    this.folded = new Map(names.map((name) => [fold(name), name]));
  }
}

export type JsonFaultCode = 'invalid_json' | 'duplicate_key' | 'json_too_deep' | 'too_many_keys';

export interface JsonFault {
  readonly code: JsonFaultCode;
  /** For people, without any of the body's content except a watched or repeated key (cut to 64 characters). */
  readonly message: string;
  /** Byte offset in the body. */
  readonly offset: number;
  /** The key that is repeated, else null. */
  readonly key: string | null;
}

export interface JsonScanResult {
  /** The first fault in reading order; null when the body is one JSON object within the limits. */
  readonly fault: JsonFault | null;
  /** Offset of the opening brace. */
  readonly root: number;
  readonly members: ReadonlyMap<string, JsonMember>;
  /** Watched name → the key that differs from it only in case, when the watched name itself is absent. */
  readonly variants: ReadonlyMap<string, string>;
}

/** Bodies above this are scanned in slices so that other streams get their turn. */
export const SLICED_ABOVE = 256 * 1024;
const SLICE = 512 * 1024;
/** JSON sets no bound; a longer number is an attack on whoever converts it. */
const MAX_NUMBER_LENGTH = 4096;
const MAX_KEY_LENGTH = 64 * 1024;
/** Every watched name is far shorter, even with each letter escaped. */
const MAX_WATCHED_LENGTH = 512;

/** What may come next; plain numbers, because the scanner asks for it at every token. */
const ROOT = 0;
const VALUE = 1;
const FIRST_VALUE = 2;
const KEY = 3;
const FIRST_KEY = 4;
const COLON = 5;
const COMMA = 6;
const NOTHING = 7;

const NO_VARIANTS: ReadonlyMap<string, string> = new Map();

interface Open {
  readonly name: string;
  readonly start: number;
}

/** Scans the whole body at once. For bodies up to `SLICED_ABOVE`. */
export function scanJson(body: Buffer, options: JsonScanOptions): JsonScanResult {
  const scan = new JsonScan(body, options);
  while (!scan.step(body.length + 1)) {}
  return scan.result();
}

/** Scans in slices of half a mebibyte (under a millisecond each), giving the event loop back in between. */
export async function scanJsonInSlices(body: Buffer, options: JsonScanOptions): Promise<JsonScanResult> {
  const scan = new JsonScan(body, options);
  while (!scan.step(SLICE)) await new Promise((resolve) => setImmediate(resolve));
  return scan.result();
}

/**
 * One pass over a request body that validates it as JSON (RFC 8259, UTF-8, no BOM), bounds depth and keys, refuses
 * repeated keys and remembers where the watched values are. Accepts a subset of what JSON.parse accepts.
 */
export class JsonScan {
  readonly #body: Buffer;
  readonly #options: JsonScanOptions;
  readonly #strings: StringWalker;
  readonly #keys: OpenObjectKeys;
  readonly #members = new Map<string, JsonMember>();
  /** Made when there is one: there hardly ever is. */
  #variants: Map<string, string> | null = null;
  /** 1 = object, 0 = array, for each open container. */
  readonly #stack: number[] = [];
  #depth = 0;
  #keyCount = 0;
  #at = 0;
  #root = -1;
  #expect: number = ROOT;
  /** Offset of the opening quote of the literal being walked, or -1. */
  #literal = -1;
  /** Name of the watched value that comes next at its level. */
  #name: string | null = null;
  /** Watched containers that are open, by depth 1 and 2. */
  readonly #open: (Open | null)[] = [null, null, null];
  #fault: JsonFault | null = null;

  constructor(body: Buffer, options: JsonScanOptions) {
    this.#body = body;
    this.#options = options;
    this.#strings = new StringWalker(body);
    this.#keys = new OpenObjectKeys(body);
    if (!isUtf8(body)) this.#fail('invalid_json', 'it is not valid UTF-8', 0);
    else if (body[0] === 0xef && body[1] === 0xbb) this.#fail('invalid_json', 'it begins with a byte order mark', 0);
  }

  /** Scans about `maxBytes` more. True when finished: the end or a fault was reached. */
  step(maxBytes: number): boolean {
    const limit = Math.min(this.#body.length, this.#at + maxBytes);
    while (this.#fault === null && this.#at < limit) {
      if (this.#literal >= 0) this.#walkLiteral(limit);
      else this.#token(this.#body[this.#at] as number, limit);
    }
    if (this.#fault !== null) return true;
    if (this.#at < this.#body.length) return false;
    if (this.#expect !== NOTHING) this.#fail('invalid_json', 'it ends too early', this.#body.length);
    return true;
  }

  result(): JsonScanResult {
    return { fault: this.#fault, root: this.#root, members: this.#members, variants: this.#variants ?? NO_VARIANTS };
  }

  #token(byte: number, limit: number) {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#at += 1;
      return;
    }
    switch (this.#expect) {
      case VALUE:
        return this.#value(byte, limit);
      case COMMA:
        return this.#commaOrClose(byte);
      case FIRST_KEY:
      case KEY:
        return this.#key(byte, limit);
      case COLON:
        if (byte !== 0x3a) return this.#unexpected();
        this.#at += 1;
        this.#expect = VALUE;
        return;
      case FIRST_VALUE:
        return byte === 0x5d ? this.#close(0) : this.#value(byte, limit);
      case ROOT:
        if (byte !== 0x7b) return this.#fail('invalid_json', 'it must be a JSON object', this.#at);
        this.#root = this.#at;
        return this.#openContainer(1);
      default:
        return this.#fail('invalid_json', 'something follows the JSON object', this.#at);
    }
  }

  #value(byte: number, limit: number) {
    if (byte === 0x22) return this.#beginLiteral(limit);
    if (byte === 0x7b) return this.#openContainer(1);
    if (byte === 0x5b) return this.#openContainer(0);
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.#number();
    if (byte === 0x74) return this.#word('true');
    if (byte === 0x66) return this.#word('false');
    if (byte === 0x6e) return this.#word('null');
    this.#unexpected();
  }

  #key(byte: number, limit: number) {
    if (byte === 0x7d && this.#expect === FIRST_KEY) return this.#close(1);
    if (byte !== 0x22) return this.#unexpected();
    this.#beginLiteral(limit);
  }

  #beginLiteral(limit: number) {
    this.#literal = this.#at;
    this.#at += 1;
    this.#strings.begin();
    this.#walkLiteral(limit);
  }

  #walkLiteral(limit: number) {
    const at = this.#strings.walk(this.#at, limit);
    if (at < 0) return this.#fail('invalid_json', `${this.#strings.fault}`, this.#at);
    this.#at = at;
    // Past the limit is a pause, even when the quote happens to stand right there: the next step sees it.
    if (at >= limit) return;
    const start = this.#literal;
    this.#literal = -1;
    this.#at = at + 1;
    if (this.#expect === KEY || this.#expect === FIRST_KEY) return this.#endKey(start + 1, at);
    this.#endValue('string', start);
  }

  #endKey(start: number, end: number) {
    this.#keyCount += 1;
    if (this.#keyCount > this.#options.maxKeys) {
      return this.#fail('too_many_keys', `it has more than ${this.#options.maxKeys} keys`, start);
    }
    if (end - start > MAX_KEY_LENGTH) return this.#fail('invalid_json', 'a key is too long', start);
    if (!this.#keys.add(start, end, this.#strings.escaped)) return this.#repeated(decodeKey(this.#body, start, end));
    this.#expect = COLON;
    if (end - start > MAX_WATCHED_LENGTH) return;
    const parent = this.#depth === 1 ? '' : this.#depth === 2 ? this.#open[1]?.name : undefined;
    if (parent !== undefined) this.#look(parent, decodeKey(this.#body, start, end));
  }

  #look(parent: string, key: string) {
    const path = parent === '' ? key : `${parent}.${key}`;
    this.#name = this.#options.watch.names.has(path) ? path : null;
    const watched = this.#name ?? this.#options.watch.folded.get(fold(path));
    if (watched === undefined) return;
    // Some providers match keys without regard to case: two spellings would let one be checked and the other be used.
    if (this.#members.has(watched) || this.#variants?.has(watched)) return this.#repeated(key);
    if (this.#name !== null) return;
    this.#variants ??= new Map();
    this.#variants.set(watched, key);
  }

  #openContainer(object: 0 | 1) {
    if (this.#depth === this.#options.maxDepth) {
      return this.#fail('json_too_deep', `it is nested deeper than ${this.#options.maxDepth} levels`, this.#at);
    }
    if (this.#name !== null && this.#depth <= 2) {
      this.#open[this.#depth] = { name: this.#name, start: this.#at };
      this.#name = null;
    }
    this.#stack[this.#depth] = object;
    this.#depth += 1;
    this.#at += 1;
    if (object === 1) this.#keys.open();
    this.#expect = object === 1 ? FIRST_KEY : FIRST_VALUE;
  }

  #commaOrClose(byte: number) {
    const object = this.#stack[this.#depth - 1] === 1;
    if (byte === 0x2c) {
      this.#at += 1;
      this.#expect = object ? KEY : VALUE;
    } else if (byte === (object ? 0x7d : 0x5d)) this.#close(object ? 1 : 0);
    else this.#unexpected();
  }

  #close(object: 0 | 1) {
    const empty = this.#expect !== COMMA;
    if (object === 1) this.#keys.close();
    this.#depth -= 1;
    this.#at += 1;
    this.#expect = this.#depth === 0 ? NOTHING : COMMA;
    const open = this.#depth <= 2 ? this.#open[this.#depth] : null;
    if (open === null || open === undefined) return;
    this.#open[this.#depth] = null;
    this.#members.set(open.name, { kind: object === 1 ? 'object' : 'array', start: open.start, end: this.#at, empty });
  }

  #endValue(kind: JsonKind, start: number) {
    this.#expect = COMMA;
    if (this.#name === null) return;
    this.#members.set(this.#name, { kind, start, end: this.#at, empty: false });
    this.#name = null;
  }

  #number() {
    const start = this.#at;
    const end = numberEnd(this.#body, start);
    if (end < 0) return this.#fail('invalid_json', 'a number is malformed', start);
    this.#at = end;
    this.#endValue('number', start);
  }

  #word(word: 'true' | 'false' | 'null') {
    const start = this.#at;
    for (let index = 1; index < word.length; index += 1) {
      if (this.#body[start + index] !== word.charCodeAt(index)) return this.#unexpected();
    }
    this.#at = start + word.length;
    this.#endValue(word, start);
  }

  #unexpected() {
    this.#fail('invalid_json', 'there is an unexpected character', this.#at);
  }

  #repeated(key: string) {
    const shown = key.slice(0, 64);
    this.#fault = { code: 'duplicate_key', message: `the key "${shown}" is repeated`, offset: this.#at, key: shown };
  }

  #fail(code: JsonFaultCode, message: string, offset: number) {
    this.#fault = { code, message, offset, key: null };
  }
}

/** End of the number at `from` by the grammar of RFC 8259, section 6; -1 when malformed or over 4,096 bytes. */
function numberEnd(bytes: Buffer, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from;
  const whole = bytes[at] === 0x30 ? at + 1 : digitsEnd(bytes, at);
  if (whole === at) return -1;
  at = whole;
  if (bytes[at] === 0x2e) {
    const fraction = digitsEnd(bytes, at + 1);
    if (fraction === at + 1) return -1;
    at = fraction;
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    const sign = bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d ? 2 : 1;
    const exponent = digitsEnd(bytes, at + sign);
    if (exponent === at + sign) return -1;
    at = exponent;
  }
  return at - from > MAX_NUMBER_LENGTH ? -1 : at;
}

function digitsEnd(bytes: Buffer, from: number): number {
  // One past the bound is enough to refuse the number, so a long run of digits never holds the event loop.
  const bound = from + MAX_NUMBER_LENGTH + 1;
  let at = from;
  for (; at < bound; at += 1) {
    const byte = bytes[at];
    if (byte === undefined || byte < 0x30 || byte > 0x39) break;
  }
  return at;
}

/** Upper then lower case also maps U+017F and U+212A to `s` and `k`, as Go's decoder does. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
