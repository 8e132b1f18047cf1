import { Gatherer } from '../codec/gatherer.js';
import { JsonMembers } from '../codec/json-members.js';
import type { AnswerFold } from './answer-fold.js';
import { isObject, parseJson } from './json-value.js';
import { emptyFacts, NO_SPAN, type ResponseFacts, type ResponseReader, type Span } from './response-reader.js';

/** Up to here an answer is kept and parsed (a few milliseconds); above it only its top-level members are picked out. */
const MAX_WHOLE = 1024 * 1024;
const MEMBERS = [
  ...['usage', 'model', 'error', 'status', 'x_groq', 'service_tier'],
  ...['usageMetadata', 'modelVersion', 'meta', 'inputTextTokenCount'],
];

/** Reads a JSON answer. */
export class JsonReader implements ResponseReader {
  readonly facts: ResponseFacts = emptyFacts();
  readonly #fold: AnswerFold;
  readonly #whole = new Gatherer();
  #members: JsonMembers | null = null;
  #length = 0;

  constructor(fold: AnswerFold) {
    this.#fold = fold;
  }

  push(chunk: Buffer): Readonly<Span> {
    this.#length += chunk.length;
    if (this.#members === null && this.#length <= MAX_WHOLE) this.#whole.add(chunk, 0, chunk.length);
    else this.#picking().push(chunk);
    return NO_SPAN;
  }

  end(): void {
    if (this.#members === null && this.#parsed()) return;
    const members = this.#picking();
    const body: Record<string, unknown> = {};
    for (const [name, text] of members.values) body[name] = parseJson(text);
    // Enough for whoever only counts the objects.
    body['data'] = new Array(Math.min(members.objectsIn.get('data') ?? 0, 1000)).fill({});
    this.#fold.body(body, this.facts);
    this.facts.terminal = members.complete;
    if (!this.#fold.text || this.#length === 0) return;
    this.facts.content = true;
    this.facts.contentBytes = this.#length;
  }

  #parsed(): boolean {
    const value = parseJson(this.#whole.bytes.toString('utf8', 0, this.#whole.length));
    if (value === undefined) return false;
    this.facts.terminal = true;
    // Google's OpenAI endpoint wraps errors in a list.
    const body = Array.isArray(value) ? value[0] : value;
    if (isObject(body)) this.#fold.body(body, this.facts);
    return true;
  }

  #picking(): JsonMembers {
    if (this.#members === null) {
      this.#members = new JsonMembers(MEMBERS);
      this.#members.push(this.#whole.bytes.subarray(0, this.#whole.length));
      this.#whole.clear();
    }
    return this.#members;
  }
}
