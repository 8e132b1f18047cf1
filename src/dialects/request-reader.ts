import type { JsonMember, JsonScanResult } from '../codec/json-scan.js';
import type { Endpoint } from './endpoint.js';
import { GatewayError } from './error.js';
import { isObject } from './json-value.js';
import { isModelName } from './model-name.js';
import type { RequestFacts } from './request-facts.js';

const MAX_USER = 512;
const MAX_METADATA = 16 * 1024;
const OUTPUT_CAPS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'];

/** Turns the watched members of a scanned body into facts. A wrong value is kept as the first refusal. */
export class RequestReader {
  readonly #endpoint: Endpoint;
  readonly #body: Buffer;
  readonly #scan: JsonScanResult;
  #refusal: GatewayError | null = null;

  constructor(endpoint: Endpoint, body: Buffer, scan: JsonScanResult) {
    this.#endpoint = endpoint;
    this.#body = body;
    this.#scan = scan;
  }

  facts(): RequestFacts | GatewayError {
    const member = this.#scan.members.get('model');
    const model = member?.kind === 'string' ? this.#text(member) : '';
    if (member === undefined || !isModelName(model)) return this.#missingModel();
    const facts: RequestFacts = {
      format: 'json',
      wire: this.#endpoint.wire,
      model,
      modelRange: { start: member.start, end: member.end },
      stream: this.#flag('stream'),
      includeUsage: this.#flag('stream_options.include_usage'),
      user: this.#user(),
      metadata: this.#metadata(),
      maxOutputTokens: this.#outputCap(),
      choices: Math.max(this.#count('n', 1) ?? 1, this.#count('best_of', 1) ?? 1),
      tools: this.#hasItems('tools') || this.#hasItems('functions'),
      inputBytes: this.#body.length,
      inputTokensUpper: this.#body.length,
      json: {
        root: this.#scan.root,
        streamOptions: this.#streamOptions(),
        includeUsage: this.#scan.members.get('stream_options.include_usage') ?? null,
      },
    };
    return this.#refusal ?? facts;
  }

  #missingModel(): GatewayError {
    const variant = this.#scan.variants.get('model');
    const message =
      variant !== undefined
        ? `The request has no "model" (it has "${variant}", which is not the same).`
        : this.#scan.members.has('model')
          ? 'The value of "model" must be a string of 1 to 512 printable characters.'
          : 'The request has no "model".';
    return new GatewayError('missing_model', message, { param: 'model' });
  }

  #flag(name: string): boolean {
    const kind = this.#scan.members.get(name)?.kind;
    if (kind !== undefined && kind !== 'true' && kind !== 'false' && kind !== 'null') {
      this.#refuse(name, 'must be true or false');
    }
    return kind === 'true';
  }

  #streamOptions(): JsonMember | null {
    const member = this.#scan.members.get('stream_options') ?? null;
    if (member !== null && member.kind !== 'object' && member.kind !== 'null') {
      this.#refuse('stream_options', 'must be an object');
    }
    return member;
  }

  #user(): string {
    for (const name of ['user', 'safety_identifier']) {
      const member = this.#scan.members.get(name);
      const text = member?.kind === 'string' && member.end - member.start <= MAX_USER * 6 ? this.#text(member) : '';
      if (text.length > 0) return text.slice(0, MAX_USER);
    }
    return '';
  }

  #metadata(): Readonly<Record<string, string>> | null {
    const member = this.#scan.members.get('metadata');
    if (member?.kind !== 'object' || member.end - member.start > MAX_METADATA) return null;
    const value: unknown = JSON.parse(this.#raw(member));
    if (!isObject(value)) return null;
    // fromEntries defines own properties, so a key such as `__proto__` stays a plain key.
    return Object.fromEntries(
      Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    );
  }

  /** The largest of the caps that are set: which one a provider obeys differs. */
  #outputCap(): number | null {
    let cap: number | null = null;
    for (const name of OUTPUT_CAPS) {
      const value = this.#count(name, 0);
      if (value !== null) cap = Math.max(cap ?? 0, value);
    }
    return cap;
  }

  /** A whole number ≥ `least`; null when absent or null; anything else is refused. -1 is what local servers call "no bound". */
  #count(name: string, least: number): number | null {
    const member = this.#scan.members.get(name);
    if (member === undefined || member.kind === 'null') return null;
    const value = member.kind === 'number' ? Number(this.#raw(member)) : Number.NaN;
    if (value === -1 && least === 0) return null;
    if (Number.isSafeInteger(value) && value >= least) return value;
    this.#refuse(name, `must be a whole number of at least ${least}`);
    return null;
  }

  #hasItems(name: string): boolean {
    const member = this.#scan.members.get(name);
    return member?.kind === 'array' && !member.empty;
  }

  #refuse(param: string, problem: string) {
    this.#refusal ??= new GatewayError('unsupported_parameter', `The value of "${param}" ${problem}.`, { param });
  }

  #text(member: JsonMember): string {
    return JSON.parse(this.#raw(member)) as string;
  }

  #raw(member: JsonMember): string {
    return this.#body.toString('utf8', member.start, member.end);
  }
}
