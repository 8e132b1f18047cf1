import type { ModelTarget, ProviderAccount, Target } from '../config/snapshot.js';
import type { Wire } from '../dialects/endpoint.js';
import { GatewayError } from '../dialects/error.js';
import type { RememberedCall } from '../dialects/translate/translation.js';
import { withoutQueryKey } from '../policy/keys/presented-key.js';
import { authoriseOwn, lacksOwnKey, ownKeyNeeded } from '../providers/credentials/own-key.js';
import type { UpstreamCall } from '../providers/kind.js';
import { isForProviders } from '../providers/upstream-headers.js';
import type { Parts } from './parts.js';
import type { BodyBytes, Continue, HeaderPair } from './reply.js';
import { CONTINUE } from './reply.js';
import type { Admitted, RequestState } from './state.js';
import { refuseStoredObjects } from './stored-objects.js';
import { parsedBody, translationContext } from './translation-context.js';
import { handshakeHeaders, isUpgrade } from './upgrade.js';
import { type Way, wayTo } from './way.js';
import { type BodyWork, mendsOf, type WrittenBody, writeBody } from './write-body.js';

/** The request as one target must receive it: path, headers and body, complete for itself. */
export interface UpstreamRequest {
  readonly target: ModelTarget;
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
  readonly body: BodyBytes;
  readonly wire: Wire;
  readonly call: RememberedCall | null;
  readonly warnings: readonly string[];
  readonly credential: number;
  readonly secrets: readonly string[];
  readonly ownKey: boolean;
}

const NO_NAMES: readonly string[] = [];

/** Headers of one dialect that mean nothing to the others. */
const DIALECT_HEADERS: readonly (readonly [name: string, wires: string])[] = [
  ['anthropic-version', 'anthropic'],
  ['anthropic-beta', 'anthropic'],
  ['openai-beta', 'openai'],
];

/**
 * Writes the request for one target from the client's original one. The same function serves attempt 1 and every later
 * attempt, so nothing of an earlier target can remain: every header that any target sets is set or removed here.
 * Throws GatewayError: `unsupported_parameter` where the target cannot express the request, `provider_auth` where it has no
 * credential now.
 */
export function upstreamRequest(
  parts: Parts,
  state: RequestState,
  admitted: Admitted,
  target: ModelTarget,
): UpstreamRequest {
  const way = wayTo(parts, state, target);
  if (!way) throw new GatewayError('unsupported_endpoint', `${target.name} does not serve ${state.endpoint?.path}.`);
  refuseStoredObjects(state, admitted, way);
  const call: UpstreamCall = { endpoint: way.endpoint, model: target.model, stream: admitted.facts.stream };
  const { body, call: answered, warnings } = bodyFor(parts, state, { admitted, target, way, call });
  const digest = admitted.ahead?.digest ?? null;
  const { direct } = way.endpoint;
  const path = direct === undefined ? way.kind.path(way.account, call) : directPath(state, direct.path);
  const { method } = way.endpoint;
  const rotation = parts.rotation();
  if (lacksOwnKey(way.account, state.ownKeys)) throw ownKeyNeeded(way.account.name);
  const own = authoriseOwn(way.account, way.kind, state.ownKeys);
  const authorised = own ?? parts.credentials.authorise(way.account, { method, path, body, digest, rotation });
  const set: HeaderPair[] = [[':path', path]];
  for (const { name, value } of authorised.headers) set.push([name, value]);
  const fixed = fixedHeaders(state, way, call);
  for (const header of fixed) if (header[1] !== '') set.push(header);
  const remove = headersToRemove(parts, state, { admitted, way, set, fixed });
  const { index: credential, secrets } = authorised;
  const written = { body, call: answered, warnings };
  return { target, set, remove, wire: way.endpoint.wire, credential, secrets, ownKey: own !== null, ...written };
}

/** A provider's own path as the client wrote it, without the gateway key that Google's clients put there. */
function directPath(state: RequestState, path: string): string {
  return state.errors === 'google' ? withoutQueryKey(path) : path;
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

function fixedHeaders(state: RequestState, way: Way, call: UpstreamCall): readonly HeaderPair[] {
  const { account, kind, translation } = way;
  const headers: HeaderPair[] = translation === null ? [] : [['content-type', 'application/json']];
  if (isUpgrade(way.endpoint.wire)) headers.push(...handshakeHeaders(state.headers).set);
  if (kind.callHeaders === undefined) {
    headers.push(...Object.entries(account.headers));
    return headers;
  }
  const sent = (name: string): string => state.headers.get(name) ?? '';
  headers.push(...Object.entries({ ...kind.callHeaders(call, sent), ...account.headers }));
  return headers;
}

interface SetHeaders {
  readonly admitted: Admitted;
  readonly way: Way;
  /** What this attempt sets, and what it takes away by setting nothing. */
  readonly set: readonly HeaderPair[];
  readonly fixed: readonly HeaderPair[];
}

/**
 * Everything of the client's that is not for providers, and names that some target of this request sets; what this attempt
 * sets is replaced anyway. Before the first attempt only the client's headers are there to be removed.
 */
function headersToRemove(parts: Parts, state: RequestState, setting: SetHeaders): readonly string[] {
  const unwanted = namesOfTargets(parts, state, setting);
  const kept = isUpgrade(setting.way.endpoint.wire) ? handshakeHeaders(state.headers).kept : NO_NAMES;
  const removed: string[] = [];
  const remove = (name: string): void => {
    const isSet = setting.set.some(([other]) => other === name);
    if (!isSet && !removed.includes(name) && !kept.includes(name)) removed.push(name);
  };
  for (const name of state.headers.names()) if (!isForProviders(name) || unwanted.includes(name)) remove(name);
  if (state.attempts.length > 0) for (const name of unwanted) remove(name);
  return removed;
}

function namesOfTargets(parts: Parts, state: RequestState, { admitted, way, fixed }: SetHeaders): readonly string[] {
  const names = [...parts.credentialHeaders];
  for (const [name, wires] of DIALECT_HEADERS) if (!way.endpoint.wire.startsWith(wires)) names.push(name);
  for (const target of admitted.plan) names.push(...Object.keys(accountOf(state, target).headers));
  for (const [name] of fixed) names.push(name);
  return names;
}

interface Writing {
  readonly admitted: Admitted;
  readonly target: ModelTarget;
  readonly way: Way;
  readonly call: UpstreamCall;
}

function bodyFor(parts: Parts, state: RequestState, writing: Writing): WrittenBody {
  const { admitted, target, way } = writing;
  if (admitted.ahead !== undefined) return admitted.ahead;
  return writeBody(admitted.body, bodyWork(state, writing), {
    translation: way.translation,
    mends: mendsOf(way.kind, way.endpoint.wire),
    parsed: () => parsedBody(state, admitted),
    context: (losses) => translationContext(parts, state, { admitted, target, kind: way.kind, losses }),
  });
}

/** What is to be written for one target, wherever that is done. */
export function bodyWork(state: RequestState, { admitted, target, way, call }: Writing): BodyWork {
  const { facts, askedCap, strict } = admitted;
  const { kind, endpoint } = way;
  const direct = endpoint.direct !== undefined;
  return {
    facts,
    wire: endpoint.wire,
    splice: {
      model: direct ? null : target.model,
      includeUsage: kind.usageOnRequest,
      outputCap: askedCap === null ? null : { field: kind.outputCapField ?? 'max_tokens', tokens: askedCap },
    },
    envelope:
      direct || kind.envelope === undefined ? null : kind.envelope(call, (name) => state.headers.get(name) ?? ''),
    direct,
    usageOnRequest: kind.usageOnRequest,
    strict,
  };
}
