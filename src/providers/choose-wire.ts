import type { Wire } from '../dialects/endpoint.js';
import { findTranslation } from '../dialects/translate/registry.js';
import type { Translation } from '../dialects/translate/translation.js';
import type { ProviderKind } from './kind.js';

/** In which wire a provider is asked for what a client wants in its own. */
export interface ChosenWire {
  readonly wire: Wire;
  /** null: the client and the provider speak the same. */
  readonly translation: Translation | null;
}

/**
 * The client's own wire where the kind serves it for this model, else the first of the kind's wires that it is translated to;
 * null = none.
 */
export function chooseWire(kind: ProviderKind, wire: Wire, model: string): ChosenWire | null {
  const serves = (asked: Wire): boolean => kind.serves?.(asked, model) ?? true;
  if (kind.wires.has(wire) && serves(wire))
    return { wire, translation: kind.rewrites?.has(wire) ? findTranslation(wire, wire) : null };
  for (const asked of kind.wires) {
    const translation = findTranslation(wire, asked);
    if (translation !== null && serves(asked)) return { wire: asked, translation };
  }
  return null;
}
