import type { ProviderAccount, Target } from '../config/snapshot.js';
import type { Endpoint } from '../dialects/endpoint.js';
import { endpointOfWire } from '../dialects/endpoints.js';
import type { Translation } from '../dialects/translate/translation.js';
import { chooseWire } from '../providers/choose-wire.js';
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
  const chosen = chooseWire(kind, endpoint.wire, target.model);
  if (chosen === null) return null;
  const { wire, translation } = chosen;
  return { account, kind, endpoint: wire === endpoint.wire ? endpoint : endpointOfWire(wire), translation };
}
