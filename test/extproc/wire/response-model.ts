import { BODY_MODE, CLUSTER_HEADER } from '../../../src/extproc/messages.js';
import type { ReplyIdentity } from '../../../src/extproc/replies.js';
import type { BodyBytes, Continue, HeaderPair, Reply } from '../../../src/gateway/reply.js';
import { type CommonShape, type MutationShape, type Plain, type ResponseShape, toStruct } from '../message-shapes.js';

/** What each reply means to Envoy, in the plainest way: the tree that protobufjs would write. */
export function responseModel(
  phase: 'request_headers' | 'request_body' | 'response_headers',
  reply: Reply,
  identity: ReplyIdentity,
): ResponseShape {
  if (reply.kind === 'refuse') {
    const { status, headers, body, details } = reply;
    return { immediate_response: { status: { code: status }, headers: mutation(headers, []), body, details } };
  }
  const override = modes(phase, reply, identity);
  const only = onlyCluster(reply, identity);
  const named: HeaderPair[] = only === null ? [] : [[CLUSTER_HEADER, only]];
  const common = commonModel({ ...reply, set: [...reply.set, ...named] }, true);
  const metadata = metadataOf(reply, identity);
  return {
    [phase]: { response: { ...common, clear_route_cache: reply.pass !== null } },
    ...(metadata ? { dynamic_metadata: toStruct({ tollgate: metadata }) } : {}),
    ...(override ? { mode_override: override } : {}),
  };
}

/** @param tellLength in a header */
export function commonModel(
  { set, remove, body }: Pick<Continue, 'set' | 'remove' | 'body'>,
  tellLength: boolean,
): CommonShape {
  if (body === null) return { header_mutation: mutation(set, remove) };
  const bytes = wholeOf(body);
  const length: HeaderPair[] = tellLength ? [['content-length', String(bytes.length)]] : [];
  return { header_mutation: mutation([...set, ...length], remove), body_mutation: { body: bytes } };
}

export function wholeOf(body: BodyBytes): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.concat(body);
}

function mutation(set: readonly HeaderPair[], remove: readonly string[]): MutationShape {
  return {
    set_headers: set.map(([key, value]) => ({ header: { key, raw_value: Buffer.from(value, 'latin1') } })),
    remove_headers: remove,
  };
}

/** Of a request that knows one provider only, and whose body is taken whole. */
function onlyCluster({ pass }: Continue, { requestBody, knowsLone }: ReplyIdentity): string | null {
  const names = new Set(pass?.clusters);
  return names.size === 1 && requestBody === 'whole' && knowsLone ? ([...names][0] ?? null) : null;
}

function metadataOf(reply: Continue, identity: ReplyIdentity): { [key: string]: Plain } | null {
  const { pass } = reply;
  const { id, generation, passedOn } = identity;
  if (!pass) return passedOn ? { translated: '0' } : null;
  const listed = pass.clusters.length > 0 && onlyCluster(reply, identity) === null;
  const groups: { [key: string]: Plain } = listed ? { priority_groups: groupsModel(pass.clusters) } : {};
  const translated: { [key: string]: Plain } = pass.mayTranslate ? { translated: '1' } : {};
  return { ...pass.log, ...translated, decision: 'pass', rid: id, generation, ...groups };
}

/** Past the end Envoy stays at the last one. */
export function groupsModel(clusters: readonly string[]): Plain {
  const last = clusters.findLastIndex((name) => name !== clusters.at(-1)) + 1;
  return clusters.slice(0, last + 1).map((name) => ({ name, clusters: [{ cluster_name: name, weight: 1 }] }));
}

function modes(
  phase: string,
  { requestBody, interest }: Continue,
  identity: ReplyIdentity,
): ResponseShape['mode_override'] | null {
  const request = { whole: BODY_MODE.BUFFERED, unseen: BODY_MODE.NONE };
  if (phase === 'request_headers' && requestBody !== null)
    return { request_body_mode: request[requestBody], response_header_mode: 1 };
  if (interest === null) return null;
  const answer = { streamed: BODY_MODE.STREAMED, buffered: BODY_MODE.BUFFERED, end: BODY_MODE.NONE };
  return {
    request_body_mode: request[identity.requestBody],
    response_header_mode: 1,
    response_body_mode: answer[interest],
    response_trailer_mode: 1,
  };
}
