import type { ProviderAccount, Target } from '../config/snapshot.js';
import type { Endpoint, Wire } from '../dialects/endpoint.js';
import { endpointOfWire } from '../dialects/endpoints.js';
import { findTranslation } from '../dialects/translate/registry.js';
import type { Translation } from '../dialects/translate/translation.js';
import type { ProviderKind } from '../providers/kind.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';

/** How one target is asked for what the client wants. */
export interface Way {
  readonly account: ProviderAccount;
  readonly kind: ProviderKind;
  /** Of the provider: the client's own, or the usual one of the wire that is translated to. */
  readonly endpoint: Endpoint;
  /** null: the client and the provider speak the same. */
  readonly translation: Translation | null;
}

/** The client's own dialect where the provider speaks it for this model, else the first of its dialects that we translate to; null = none. */
export function wayTo(parts: Parts, state: RequestState, target: Target): Way | null {
  const { endpoint } = state;
  const account = state.rules.snapshot.providers.get(target.provider);
  const kind = account && parts.kinds.get(account.kind);
  if (!endpoint || !account || !kind) return null;
  if (endpoint.direct !== undefined) return { account, kind, endpoint, translation: null };
  const { wire } = endpoint;
  const serves = (asked: Wire): boolean => kind.serves?.(asked, target.model) ?? true;
  if (kind.wires.has(wire) && serves(wire)) {
    const own = kind.rewrites?.has(wire) ? findTranslation(wire, wire) : null;
    return { account, kind, endpoint, translation: own };
  }
  for (const asked of kind.wires) {
    const translation = findTranslation(wire, asked);
    if (translation !== null && serves(asked)) return { account, kind, endpoint: endpointOfWire(asked), translation };
  }
  return null;
}
