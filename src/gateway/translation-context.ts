import { tokenFamily } from '../accounting/tokens/families.js';
import type { Target } from '../config/snapshot.js';
import type { JsonObject } from '../dialects/json-value.js';
import type { Losses } from '../dialects/translate/losses.js';
import type { TranslationContext } from '../dialects/translate/translation.js';
import type { ProviderKind } from '../providers/kind.js';
import { takesEffort } from '../providers/reasoning-effort.js';
import type { Parts } from './parts.js';
import type { Admitted, RequestState } from './state.js';

export interface Translating {
  readonly admitted: Admitted;
  readonly target: Target;
  readonly kind: ProviderKind;
  readonly losses: Losses;
}

/** The client's body, parsed once for all attempts. It was scanned as JSON before. */
export function parsedBody(state: RequestState, admitted: Admitted): JsonObject {
  state.parsed ??= JSON.parse(admitted.body.toString()) as JsonObject;
  return state.parsed;
}

export function translationContext(
  parts: Parts,
  state: RequestState,
  { admitted, target, kind, losses }: Translating,
): TranslationContext {
  const { facts, askedCap, outputCap } = admitted;
  return {
    model: target.model,
    stream: facts.stream,
    outputCap: askedCap,
    outputCapField: kind.outputCapField ?? 'max_tokens',
    defaultOutputTokens: outputCap,
    includeUsage: facts.includeUsage,
    takesEffort: takesEffort(target.model),
    echoesReasoning: kind.echoesReasoning === true,
    id: state.id.replaceAll('-', ''),
    created: Math.floor(state.arrivedAt / 1000),
    extended: false,
    losses,
    // Counted only where a dialect asks for it.
    get inputTokens() {
      state.inputEstimate ??= parts.tokens.estimateInput(admitted, tokenFamily(target.name));
      return Math.max(1, state.inputEstimate);
    },
  };
}
