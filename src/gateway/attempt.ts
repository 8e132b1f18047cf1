import type { ModelTarget, ProviderAccount, Target } from '../config/snapshot.js';
import type { Wire } from '../dialects/endpoint.js';
import { GatewayError } from '../dialects/error.js';
import type { JsonObject } from '../dialects/json-value.js';
import type { RequestMend } from '../dialects/request-mend.js';
import { spliceRequest } from '../dialects/splice.js';
import { Losses, unsupported } from '../dialects/translate/losses.js';
import type { PreparedCall } from '../dialects/translate/translation.js';
import { withoutQueryKey } from '../policy/keys/presented-key.js';
import { authoriseOwn, lacksOwnKey, ownKeyNeeded } from '../providers/credentials/own-key.js';
import type { Envelope, UpstreamCall } from '../providers/kind.js';
import { requestHeadersToRemove } from '../providers/upstream-headers.js';
import type { Parts } from './parts.js';
import type { Continue, HeaderPair } from './reply.js';
import { CONTINUE } from './reply.js';
import type { Admitted, RequestState } from './state.js';
import { refuseStoredObjects } from './stored-objects.js';
import { parsedBody, translationContext } from './translation-context.js';
import { handshakeHeaders, isUpgrade } from './upgrade.js';
import { type Way, wayTo } from './way.js';

/** The request as one target must receive it: path, headers and body, complete for itself. */
export interface UpstreamRequest {
  readonly target: ModelTarget;
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
  readonly body: Buffer;
  readonly wire: Wire;
  readonly call: PreparedCall | null;
  readonly warnings: readonly string[];
  readonly credential: number;
  readonly secrets: readonly string[];
  readonly ownKey: boolean;
}

const NO_MENDS: readonly RequestMend[] = [];

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
  const written = writeBody(parts, state, { admitted, target, way, call });
  const { direct } = way.endpoint;
  const path = direct === undefined ? way.kind.path(way.account, call) : directPath(state, direct.path);
  const { method } = way.endpoint;
  const rotation = parts.rotation();
  if (lacksOwnKey(way.account, state.ownKeys)) throw ownKeyNeeded(way.account.name);
  const own = authoriseOwn(way.account, way.kind, state.ownKeys);
  const authorised = own ?? parts.credentials.authorise(way.account, { method, path, body: written.body, rotation });
  const set: HeaderPair[] = [
    [':path', path],
    ...authorised.headers.map(({ name, value }): HeaderPair => [name, value]),
  ];
  const fixed = fixedHeaders(state, way, call);
  set.push(...fixed.filter(([, value]) => value !== ''));
  const names = new Set(set.map(([name]) => name));
  const unwanted = [...headersToRemove(parts, state, { admitted, way }), ...fixed.map(([name]) => name)];
  const remove = unwanted.filter((name) => !names.has(name));
  const { index: credential, secrets } = authorised;
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

function fixedHeaders(state: RequestState, way: Way, call: UpstreamCall): HeaderPair[] {
  const sent = (name: string): string => state.headers.get(name) ?? '';
  const headers = { ...way.kind.callHeaders?.(call, sent), ...way.account.headers };
  const handshake = isUpgrade(way.endpoint.wire) ? handshakeHeaders(state.headers).set : [];
  const json: HeaderPair[] = way.translation === null ? [] : [['content-type', 'application/json']];
  return [...json, ...handshake, ...Object.entries(headers)];
}

/** Everything of the client's that is not for providers, and names that some target of this request sets. */
function headersToRemove(
  parts: Parts,
  state: RequestState,
  { admitted, way }: { readonly admitted: Admitted; readonly way: Way },
): readonly string[] {
  const names = new Set(requestHeadersToRemove(state.headers.names()));
  for (const name of parts.credentialHeaders) names.add(name);
  for (const [name, wires] of DIALECT_HEADERS) if (!way.endpoint.wire.startsWith(wires)) names.add(name);
  for (const target of admitted.plan) for (const name of Object.keys(accountOf(state, target).headers)) names.add(name);
  if (isUpgrade(way.endpoint.wire)) for (const name of handshakeHeaders(state.headers).kept) names.delete(name);
  return [...names];
}

interface Writing {
  readonly admitted: Admitted;
  readonly target: ModelTarget;
  readonly way: Way;
  readonly call: UpstreamCall;
}

type Written = Pick<UpstreamRequest, 'body' | 'call' | 'warnings'>;

function writeBody(parts: Parts, state: RequestState, writing: Writing): Written {
  const { admitted, target, way, call } = writing;
  const sent = (name: string): string => state.headers.get(name) ?? '';
  const envelope = way.endpoint.direct === undefined ? (way.kind.envelope?.(call, sent) ?? null) : null;
  const { translation } = way;
  if (translation === null || translation.needed?.(parsedBody(state, admitted)) === false)
    return { body: ownBody(admitted, writing, envelope), call: null, warnings: [] };
  const losses = new Losses();
  const context = translationContext(parts, state, { admitted, target, kind: way.kind, losses });
  const prepared = translation.prepare(parsedBody(state, admitted), context);
  const [first] = losses.dropped;
  if (admitted.strict && first !== undefined) {
    throw unsupported(first, `"${first}" cannot be sent to this model, which is strict: nothing is left out.`);
  }
  const asked = way.kind.usageOnRequest ? envelope : withoutUsageOption(envelope);
  const body = Buffer.from(JSON.stringify(enclosed(mended(prepared.body, writing), asked)));
  return { body, call: prepared, warnings: losses.dropped };
}

/** The client's own bytes with the few that differ for this target. */
function ownBody({ body, facts, askedCap }: Admitted, { target, way }: Writing, envelope: Envelope | null): Buffer {
  const own = spliceRequest(body, facts, {
    model: way.endpoint.direct === undefined ? target.model : null,
    includeUsage: way.kind.usageOnRequest,
    outputCap: askedCap === null ? null : { field: way.kind.outputCapField ?? 'max_tokens', tokens: askedCap },
  });
  if (facts.format !== 'json' || way.endpoint.direct !== undefined) return own;
  const suspect = mendsOf(way).some((mend) => mend.suspects(own));
  if (envelope === null && !suspect) return own;
  const parsed = JSON.parse(own.toString()) as JsonObject;
  const better = mended(parsed, { way });
  // Bytes stay the client's where there was nothing to do after all.
  return better === parsed && envelope === null ? own : Buffer.from(JSON.stringify(enclosed(better, envelope)));
}

function mendsOf({ kind, endpoint }: Way): readonly RequestMend[] {
  return kind.mends?.filter(({ wire }) => wire === endpoint.wire) ?? NO_MENDS;
}

function mended(body: JsonObject, { way }: Pick<Writing, 'way'>): JsonObject {
  return mendsOf(way).reduce((better, mend) => mend.mend(better), body);
}

/** Fronts always ask for usage; these vendors send it anyway, and some refuse to be asked. */
function withoutUsageOption(envelope: Envelope | null): Envelope {
  return { set: envelope?.set ?? {}, remove: [...(envelope?.remove ?? []), 'stream_options'] };
}

function enclosed(body: JsonObject, envelope: Envelope | null): JsonObject {
  if (envelope === null) return body;
  const removed = new Set(envelope.remove);
  const kept = Object.entries(body).filter(([name]) => !removed.has(name));
  return { ...Object.fromEntries(kept), ...envelope.set };
}
