import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { GatewayError } from '../../../src/dialects/error.js';
import type { JsonObject } from '../../../src/dialects/json-value.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import { findTranslation } from '../../../src/dialects/translate/registry.js';
import type { PreparedCall, TranslationContext } from '../../../src/dialects/translate/translation.js';

/** One call of an endpoint without streams: what goes in by hand, what comes out as the code says. */
export interface UnaryGolden {
  readonly model: string;
  /** The client's. */
  readonly request: JsonObject;
  /** The provider's; absent where the request is refused. */
  readonly answer?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the provider is asked, or why it is not. */
  readonly expected?: JsonObject;
  readonly warnings?: readonly string[];
  /** What the client reads. */
  readonly read?: JsonObject;
}

export function contextFor(model: string, losses = new Losses()): TranslationContext {
  return {
    model,
    stream: false,
    outputCap: null,
    outputCapField: 'max_tokens',
    inputTokens: 7,
    defaultOutputTokens: 4096,
    includeUsage: false,
    id: 'req-1',
    created: 1_780_000_000,
    extended: false,
    losses,
  };
}

export function prepare(
  from: Wire,
  to: Wire,
  asked: { readonly model: string; readonly request: JsonObject },
): PreparedCall & { readonly warnings: readonly string[] } {
  const translation = findTranslation(from, to);
  if (translation === null) throw new Error(`no translation from ${from} to ${to}`);
  const losses = new Losses();
  const call = translation.prepare(asked.request, contextFor(asked.model, losses));
  return { ...call, warnings: losses.dropped };
}

/** The golden with its results as the code gives them now. */
export function run(from: Wire, to: Wire, golden: UnaryGolden): UnaryGolden {
  const { model, request, answer, headers } = golden;
  const given = { model, request, ...(answer && { answer }), ...(headers && { headers }) };
  try {
    const call = prepare(from, to, golden);
    const read = answer && { read: call.answer(answer, (name) => headers?.[name]) };
    return { ...given, expected: call.body, warnings: call.warnings, ...read };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { model, request, expected: { error: error.message, code: error.code, param: error.param } };
  }
}

/** The goldens of one pair by file name; `UPDATE_GOLDEN=1` writes their results anew. */
export function goldensOf(pair: string, from: Wire, to: Wire): ReadonlyMap<string, UnaryGolden> {
  const folder = `test/golden/translate/${pair}`;
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const load = (name: string): UnaryGolden => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as UnaryGolden;
  if (process.env['UPDATE_GOLDEN'] === '1') {
    for (const name of names)
      writeFileSync(`${folder}/${name}`, `${JSON.stringify(run(from, to, load(name)), null, 2)}\n`);
  }
  return new Map(names.map((name) => [name, load(name)]));
}
