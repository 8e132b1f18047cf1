import { parseJson, stringIn } from '../../json-value.js';

const OPENING = /^\s*\{\s*"input"\s*:\s*"/;
/** Longer than any opening with sensible spacing: what does not match by then never will. */
const MAX_OPENING = 256;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/**
 * Takes the text out of `{"input": "…"}` while its JSON still grows, cut anywhere. Models that write something else get it passed
 * on as they wrote it: a text without its wrapping is more likely meant than an empty one.
 */
export class FreeText {
  #text = '';
  /** What was pushed before the text began. */
  #head = '';
  /** The beginning of an escape that is not whole, or half of a character. */
  #pending = '';
  #state: 'before' | 'inside' | 'after' = 'before';

  /** All that was read so far. */
  get text(): string {
    return this.#text;
  }

  /** Returns what this piece adds to the text. */
  push(piece: string): string {
    if (this.#state === 'after') return '';
    if (this.#state === 'inside') return this.#read(piece);
    this.#head += piece;
    const opening = OPENING.exec(this.#head.slice(0, MAX_OPENING));
    if (opening === null) return '';
    this.#state = 'inside';
    return this.#read(this.#head.slice(opening[0].length));
  }

  /** Nothing more comes; returns what is left. */
  end(): string {
    if (this.#state !== 'before') return '';
    const whole = parseJson(this.#head);
    this.#text =
      stringIn(whole, 'input') ?? (typeof whole === 'string' ? whole : this.#head === '{}' ? '' : this.#head);
    this.#state = 'after';
    return this.#text;
  }

  #read(piece: string): string {
    const json = this.#pending + piece;
    this.#pending = '';
    let added = '';
    let at = 0;
    while (at < json.length) {
      const next = nextSpecial(json, at);
      added += json.slice(at, next);
      at = next;
      if (json[at] === '"') {
        this.#state = 'after';
        break;
      }
      if (at >= json.length) break;
      const escaped = readEscape(json, at);
      if (escaped === null) {
        this.#pending = json.slice(at);
        break;
      }
      added += escaped.text;
      at = escaped.end;
    }
    this.#text += added;
    return added;
  }
}

function nextSpecial(json: string, from: number): number {
  for (let at = from; at < json.length; at += 1) if (json[at] === '"' || json[at] === '\\') return at;
  return json.length;
}

/** The escape at this place; null when it is not whole. A pair of surrogates is one, so that no event holds half a character. */
function readEscape(json: string, at: number): { readonly text: string; readonly end: number } | null {
  const letter = json[at + 1];
  if (letter === undefined) return null;
  if (letter !== 'u') return { text: ESCAPES[letter] ?? letter, end: at + 2 };
  const first = unitAt(json, at);
  if (first === null) return null;
  const isHigh = first >= 0xd800 && first <= 0xdbff;
  if (!isHigh) return { text: String.fromCharCode(first), end: at + 6 };
  const rest = json.slice(at + 6, at + 12);
  if (rest.length < 6 && '\\u'.startsWith(rest.slice(0, 2))) return null;
  const second = rest.startsWith('\\u') ? (unitAt(json, at + 6) ?? 0) : 0;
  const isPair = second >= 0xdc00 && second <= 0xdfff;
  return isPair ? { text: String.fromCharCode(first, second), end: at + 12 } : { text: '\ufffd', end: at + 6 };
}

/** The code unit of `\uXXXX`; null when it is cut. Letters that are no hexadecimal digits give a replacement character. */
function unitAt(json: string, at: number): number | null {
  if (json.length < at + 6) return null;
  const unit = Number.parseInt(json.slice(at + 2, at + 6), 16);
  return Number.isNaN(unit) ? 0xfffd : unit;
}
