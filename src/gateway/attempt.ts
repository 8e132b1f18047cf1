import type { ProviderAccount, Target } from '../config/snapshot.js';
import { spliceRequest } from '../dialects/splice.js';
import { chooseCredential } from '../providers/credentials/choose.js';
import { credentialHeader } from '../providers/credentials/header.js';
import type { ProviderKind } from '../providers/kind.js';
import { requestHeadersToRemove } from '../providers/upstream-headers.js';
import type { Parts } from './parts.js';
import type { Continue, HeaderPair } from './reply.js';
import { CONTINUE } from './reply.js';
import type { Admitted, RequestState } from './state.js';

/** The request as one target must receive it: path, headers and body, complete for itself. */
export interface UpstreamRequest {
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
  readonly body: Buffer;
}

/**
 * Writes the request for one target from the client's original one. The same function serves attempt 1 and every later
 * attempt, so nothing of an earlier target can remain: every header that any target sets is set or removed here.
 */
export function upstreamRequest(
  parts: Parts,
  state: RequestState,
  admitted: Admitted,
  target: Target,
): UpstreamRequest {
  const account = accountOf(state, target);
  const kind = parts.kinds.get(account.kind);
  const endpoint = state.endpoint;
  if (!kind || !endpoint) throw new Error(`no provider kind for ${target.name}`);
  const set: HeaderPair[] = [
    [':path', kind.path(account, { endpoint, model: target.model, stream: admitted.facts.stream })],
  ];
  const credential = credentialHeader(kind, chooseCredential(account, parts.rotation()));
  if (credential) set.push([credential.name, credential.value]);
  for (const [name, value] of Object.entries(account.headers)) set.push([name, value]);
  const written = new Set(set.map(([name]) => name));
  const remove = new Set(requestHeadersToRemove(state.headers.names()));
  for (const name of foreignHeaders(parts, state, admitted)) remove.add(name);
  const body = upstreamBody(admitted, target, kind);
  return { set, remove: [...remove].filter((name) => !written.has(name)), body };
}

/** Attempt N as the `again` filter answers it. */
export function attemptReply(request: UpstreamRequest): Continue {
  return { ...CONTINUE, set: request.set, remove: request.remove, body: request.body };
}

export function accountOf(state: RequestState, target: Target): ProviderAccount {
  const account = state.rules.snapshot.providers.get(target.provider);
  if (!account) throw new Error(`no provider ${target.provider}`);
  return account;
}

/** Names that some target of this request sets: what another attempt may have left behind. */
function foreignHeaders(parts: Parts, state: RequestState, admitted: Admitted): readonly string[] {
  const names = new Set<string>(parts.credentialHeaders);
  for (const target of admitted.plan) for (const name of Object.keys(accountOf(state, target).headers)) names.add(name);
  return [...names];
}

function upstreamBody(admitted: Admitted, target: Target, kind: ProviderKind): Buffer {
  const { askedCap: tokens } = admitted;
  return spliceRequest(admitted.body, admitted.facts, {
    model: target.model,
    includeUsage: kind.usageOnRequest,
    outputCap: tokens === null ? null : { field: kind.outputCapField ?? 'max_tokens', tokens },
  });
}
