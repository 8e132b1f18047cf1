import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { GatewayError } from '../../../src/dialects/error.js';
import type { JsonObject } from '../../../src/dialects/json-value.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import type { PreparedCall, Translation, TranslationContext } from '../../../src/dialects/translate/translation.js';

/** What goes in by hand, and what comes out as the code says. */
export interface Golden {
  /** What differs from `contextFor`. */
  readonly context?: Partial<TranslationContext>;
  /** The client's. */
  readonly request: JsonObject;
  readonly expected?: JsonObject;
  readonly warnings?: readonly string[];
  /** The provider's answer, whole or as the data of its events. */
  readonly answer?: JsonObject;
  readonly events?: readonly JsonObject[];
  /** The stream stops without its end. */
  readonly cut?: true;
  /** What the client reads. */
  readonly read?: JsonObject;
  readonly written?: readonly unknown[];
}

export function contextFor(changes: Partial<TranslationContext> = {}): TranslationContext {
  return {
    model: 'gemini-2.5-flash',
    stream: false,
    outputCap: null,
    outputCapField: 'max_completion_tokens',
    inputTokens: 7,
    defaultOutputTokens: 4096,
    includeUsage: true,
    id: 'b3b1c1a0-0001',
    created: 1_780_000_000,
    extended: false,
    losses: new Losses(),
    ...changes,
  };
}

/** The events that a call's stream writes for a provider's: their data, and `[DONE]`. A stream that is not whole fails. */
export function streamed(call: PreparedCall, events: readonly JsonObject[], done = false): unknown[] {
  const written: unknown[] = [];
  const out = {
    event: (_type: string, data: JsonObject) => void written.push(data),
    done: () => void written.push('[DONE]'),
  };
  const translator = call.stream();
  for (const event of events) translator.event('', event, out);
  if (done) translator.done(out);
  if (!translator.end(out)) translator.fail({ message: 'It broke off.', code: 'provider_error', status: 502 }, out);
  return written;
}

function run(pair: Translation, golden: Golden): Golden {
  const { context, request, answer, events, cut } = golden;
  const given = { ...(context && { context }), request };
  const losses = new Losses();
  try {
    const call = pair.prepare(request, contextFor({ stream: events !== undefined, ...context, losses }));
    const told = { ...given, expected: call.body, warnings: losses.dropped };
    if (events !== undefined) {
      const written = streamed(call, events, pair.to === 'openai-chat' && !cut);
      return { ...told, events, ...(cut && { cut }), written };
    }
    return answer === undefined ? told : { ...told, answer, read: call.answer(answer) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { ...given, expected: { error: error.message, code: error.code, param: error.param } };
  }
}

/** Each golden as it stands in its file and as the code gives it now; `UPDATE_GOLDEN=1` writes the latter. */
export function goldensOf(
  folder: string,
  pair: Translation,
): readonly (readonly [name: string, wanted: Golden, found: Golden])[] {
  const path = `test/golden/translate/${folder}`;
  return readdirSync(path)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const file = `${path}/${name}`;
      const wanted = JSON.parse(readFileSync(file, 'utf8')) as Golden;
      const found = JSON.parse(JSON.stringify(run(pair, wanted))) as Golden;
      if (process.env['UPDATE_GOLDEN'] !== '1') return [name, wanted, found];
      writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
      return [name, found, found];
    });
}
