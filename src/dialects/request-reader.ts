import type { JsonMember, JsonScanResult } from '../codec/json-scan.js';
import type { Endpoint } from './endpoint.js';
import { GatewayError } from './error.js';
import { isObject } from './json-value.js';
import { isModelName } from './model-name.js';
import { outputCapFields } from './output-cap.js';
import type { OutputCapPlace, RequestFacts } from './request-facts.js';

const MAX_USER = 512;
const MAX_METADATA = 16 * 1024;
/** OpenAI's bound on `n`; more would make one request a flood. */
const MAX_CHOICES = 128;
/** Objects that hold the bound in dialects that do not keep it at the top. */
const SETTINGS = ['generationConfig', 'generation_config', 'inferenceConfig'];
const NO_BOUND = -1;
const CHOICES = ['n', 'best_of', 'generationConfig.candidateCount'];

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
    const { named, direct } = this.#endpoint;
    const member = named === undefined ? this.#scan.members.get('model') : undefined;
    const asked = named?.model ?? (member?.kind === 'string' ? this.#text(member) : '');
    if (!isModelName(asked)) return this.#missingModel();
    // A provider's own name for the model, as its own API takes it.
    const model = direct === undefined ? asked : `${direct.provider}/${asked}`;
    const outputCaps = this.#outputCaps();
    const facts: RequestFacts = {
      format: 'json',
      wire: this.#endpoint.wire,
      model,
      modelRange: member === undefined ? null : { start: member.start, end: member.end },
      stream: named?.stream ?? this.#flag('stream'),
      includeUsage: this.#flag('stream_options.include_usage'),
      user: this.#user(),
      metadata: this.#metadata(),
      maxOutputTokens: smallest(outputCaps),
      choices: Math.max(...CHOICES.map((name) => this.#choices(name))),
      tools: this.#hasItems('tools') || this.#hasItems('functions') || this.#isSet('toolConfig'),
      inputBytes: this.#body.length,
      inputTokensUpper: this.#body.length,
      speaks: this.#isSet('modalities') || this.#isSet('audio'),
      json: {
        root: this.#scan.root,
        streamOptions: this.#streamOptions(),
        includeUsage: this.#scan.members.get('stream_options.include_usage') ?? null,
        outputCaps,
        settings:
          SETTINGS.flatMap((name) => this.#scan.members.get(name) ?? []).find((each) => each.kind === 'object') ?? null,
      },
      content: undefined,
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
    for (const name of ['user', 'safety_identifier', 'metadata.user_id']) {
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

  /** Only the names that this endpoint has: another one is the provider's to refuse or to ignore. */
  #outputCaps(): readonly OutputCapPlace[] {
    const places: OutputCapPlace[] = [];
    for (const field of outputCapFields(this.#endpoint.wire)) {
      const member = this.#scan.members.get(field);
      if (member === undefined) continue;
      const tokens = this.#wholeNumber(field, NO_BOUND);
      places.push({ field, start: member.start, end: member.end, tokens: tokens === NO_BOUND ? null : tokens });
    }
    return places;
  }

  #choices(name: string): number {
    const count = this.#wholeNumber(name, 1) ?? 1;
    if (count > MAX_CHOICES) this.#refuse(name, `must be at most ${MAX_CHOICES}`);
    return count;
  }

  /** A whole number ≥ `least`; null when absent or null; anything else is refused. -1 is what local servers call "no bound". */
  #wholeNumber(name: string, least: number): number | null {
    const member = this.#scan.members.get(name);
    if (member === undefined || member.kind === 'null') return null;
    const value = member.kind === 'number' ? Number(this.#raw(member)) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    this.#refuse(name, `must be a whole number of at least ${Math.max(0, least)}`);
    return null;
  }

  #isSet(name: string): boolean {
    const kind = this.#scan.members.get(name)?.kind;
    return kind !== undefined && kind !== 'null';
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

function smallest(caps: readonly OutputCapPlace[]): number | null {
  let least: number | null = null;
  for (const { tokens } of caps) if (tokens !== null && (least === null || tokens < least)) least = tokens;
  return least;
}
