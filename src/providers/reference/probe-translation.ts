import type { Wire } from '../../dialects/endpoint.js';
import { GatewayError } from '../../dialects/error.js';
import type { JsonObject } from '../../dialects/json-value.js';
import { Losses } from '../../dialects/translate/losses.js';
import type { PreparedCall, Translation, TranslationContext } from '../../dialects/translate/translation.js';
import { DIALECTS, type Probe } from './probes.js';

/** What became of a probe at one model. `silent`: neither carried nor told, which only what has no meaning there may be. */
export type Fate = 'carried' | 'dropped' | 'refused' | 'silent';

export interface Finding {
  readonly field: string;
  readonly model: string;
  readonly fate: Fate;
  /** Names that a client reads in `x-tollgate-warning` or as the error's `param`. */
  readonly names: readonly string[];
}

/** Models that stand for those that a wire asks: where they differ, the provider's rules do. */
const MODELS: ReadonlyMap<Wire, readonly string[]> = new Map<Wire, readonly string[]>([
  ['anthropic-messages', ['claude-sonnet-4-5', 'claude-opus-4-8']],
  ['gemini-generate', ['gemini-2.5-pro', 'gemini-3-pro-preview']],
  [
    'bedrock-converse',
    ['anthropic.claude-sonnet-4-5-20250929-v1:0', 'amazon.nova-pro-v1:0', 'meta.llama3-3-70b-instruct-v1:0'],
  ],
  ['bedrock-embed', ['amazon.titan-embed-text-v2:0', 'cohere.embed-v4:0']],
  ['bedrock-count-tokens', ['anthropic.claude-sonnet-4-5-20250929-v1:0']],
  ['gemini-embed', ['gemini-embedding-001']],
  ['vertex-predict', ['text-embedding-005']],
  ['cohere-embed', ['embed-v4.0']],
]);

export function modelsOf(wire: Wire): readonly string[] {
  return MODELS.get(wire) ?? ['gpt-5'];
}

/** Every member of the client's dialect, one at a time, at every model. Empty for wires whose members are not listed. */
export function probeTranslation(pair: Translation): readonly Finding[] {
  const dialect = DIALECTS.get(pair.from);
  if (dialect === undefined) return [];
  return modelsOf(pair.to).flatMap((model) =>
    dialect.probes.map((probe) => find(pair, dialect.base, { probe, model: modelFor(pair, model) })),
  );
}

/** Images are asked of other models than texts, on the same wire. */
function modelFor(pair: Translation, model: string): string {
  return pair.from === 'openai-images' ? 'imagen-4.0-generate-001' : model;
}

function find(pair: Translation, base: JsonObject, { probe, model }: { probe: Probe; model: string }): Finding {
  const without = { ...base, ...probe.given };
  const before = prepared(pair, without, model);
  const after = prepared(pair, { ...without, ...probe.members }, model);
  const { field } = probe;
  if ('refused' in after) return { field, model, fate: 'refused', names: [after.refused] };
  if ('refused' in before) throw new Error(`${pair.from} to ${pair.to}: the request before ${field} is refused`);
  const names = after.dropped.filter((name) => !before.dropped.includes(name));
  if (names.length > 0) return { field, model, fate: 'dropped', names };
  const same = JSON.stringify(before.call.body) === JSON.stringify(after.call.body);
  return { field, model, fate: same ? 'silent' : 'carried', names: [] };
}

export type Prepared =
  | { readonly call: PreparedCall; readonly dropped: readonly string[] }
  | { readonly refused: string };

/** What a translation makes of a request. Refusals of clients are told, everything else is thrown. */
export function prepared(pair: Translation, request: JsonObject, model: string): Prepared {
  const losses = new Losses();
  try {
    return {
      call: pair.prepare(request, contextOf(model, { stream: request['stream'] === true, losses })),
      dropped: losses.dropped,
    };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { refused: error.param ?? error.message };
  }
}

function contextOf(model: string, { stream, losses }: { stream: boolean; losses: Losses }): TranslationContext {
  return {
    model,
    stream,
    outputCap: null,
    outputCapField: 'max_completion_tokens',
    inputTokens: 10,
    defaultOutputTokens: 4096,
    includeUsage: true,
    id: '0123456789abcdef0123456789abcdef',
    created: 1_800_000_000,
    extended: false,
    losses,
  };
}
