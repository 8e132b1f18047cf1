import type { BodyBytes, HeaderPair } from '../../gateway/reply.js';
import { lengthOf, type WireWriter } from './writer.js';

/*
 * ProcessingResponse by hand: what protobufjs does with reflection, without a tree of objects in between. Field numbers:
 * proto/external_processor.proto. A property test holds it against protobufjs.
 */

/** Field numbers of ProcessingResponse. */
export const RESPONSE = {
  request_headers: 1,
  response_headers: 2,
  request_body: 3,
  response_body: 4,
  request_trailers: 5,
  response_trailers: 6,
  immediate_response: 7,
} as const;

/** What CommonResponse may say. */
export interface Common {
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
  /** null: the body stays as it is. Its length is told in `content-length` where `length` is true. */
  readonly body: BodyBytes | null;
  readonly length: boolean;
  readonly replace: boolean;
  readonly clearRoute: boolean;
}

/** An answer of its phase; HeadersResponse and BodyResponse have the same shape. */
export function writePhase(writer: WireWriter, field: number, common: Common): void {
  const { body } = common;
  const expected = body === null ? 0 : lengthOf(body);
  const outer = writer.begin(field, expected);
  const inner = writer.begin(1, expected);
  if (common.replace) writer.int(1, 1);
  writeHeaders(writer, common, common.length ? expected : null);
  if (body !== null) {
    const mutation = writer.begin(3, expected);
    writer.bytes(1, body);
    writer.end(mutation, expected);
  }
  if (common.clearRoute) writer.bool(5, true);
  writer.end(inner, expected);
  writer.end(outer, expected);
}

interface Headers {
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
}

/** Field 2 of CommonResponse and of ImmediateResponse. @param length of the body that the headers shall state, or null */
export function writeHeaders(writer: WireWriter, { set, remove }: Headers, length: number | null): void {
  const begun = writer.begin(2);
  for (const pair of set) writeHeader(writer, pair[0], pair[1]);
  if (length !== null) writeHeader(writer, 'content-length', String(length));
  for (const name of remove) writer.text(2, name);
  writer.end(begun);
}

function writeHeader(writer: WireWriter, name: string, value: string): void {
  const option = writer.begin(1);
  const header = writer.begin(1);
  writer.text(1, name);
  // `value` is ignored by Envoy 1.40 (the header would become empty): always raw_value.
  writer.latin1(3, value);
  writer.end(header);
  writer.end(option);
}

/** Modes from here on; one that is left out is NONE or DEFAULT. */
export interface Modes {
  readonly requestBody: number;
  readonly responseHeaders: number;
  readonly responseBody?: number;
  readonly responseTrailers?: number;
}

export function writeModes(writer: WireWriter, modes: Modes): void {
  const begun = writer.begin(9);
  writer.int(2, modes.responseHeaders);
  if (modes.requestBody > 0) writer.int(3, modes.requestBody);
  if (modes.responseBody) writer.int(4, modes.responseBody);
  if (modes.responseTrailers) writer.int(6, modes.responseTrailers);
  writer.end(begun);
}

/** Dynamic metadata in one namespace: `endMetadata` wants what it answers, fields are written between. */
export function beginMetadata(writer: WireWriter, namespace: string): readonly number[] {
  const metadata = writer.begin(8);
  const entry = writer.begin(1);
  writer.text(1, namespace);
  const value = writer.begin(2);
  return [metadata, entry, value, writer.begin(5)];
}

export function endMetadata(writer: WireWriter, begun: readonly number[]): void {
  for (let index = begun.length - 1; index >= 0; index -= 1) writer.end(begun[index] ?? 0);
}

/** A field of a Struct. */
export function writeField(writer: WireWriter, name: string, value: string | boolean): void {
  const entry = writer.begin(1);
  writer.text(1, name);
  const inner = writer.begin(2);
  if (typeof value === 'string') writer.text(3, value);
  else writer.bool(4, value);
  writer.end(inner);
  writer.end(entry);
}

/**
 * The field `priority_groups`: attempt N goes to the one cluster of the N-th group, and past the end to that of the last one. So the
 * last cluster is named once, however often it is tried: each group costs Envoy 5 µs, which makes JSON and then a message of it.
 */
export function writeGroups(writer: WireWriter, clusters: readonly string[]): void {
  const entry = writer.begin(1);
  writer.text(1, 'priority_groups');
  const value = writer.begin(2);
  const list = writer.begin(6);
  const groups = withoutRepeatedEnd(clusters);
  for (let at = 0; at < groups; at += 1) {
    const cluster = clusters[at] ?? '';
    const each = writer.begin(1);
    const group = writer.begin(5);
    writeField(writer, 'name', cluster);
    writeClusters(writer, cluster);
    writer.end(group);
    writer.end(each);
  }
  writer.end(list);
  writer.end(value);
  writer.end(entry);
}

/** How many of them are left when the last one is named once. */
function withoutRepeatedEnd(clusters: readonly string[]): number {
  let count = clusters.length;
  while (count > 1 && clusters[count - 1] === clusters[count - 2]) count -= 1;
  return count;
}

/** `clusters: [{ cluster_name, weight: 1 }]` */
function writeClusters(writer: WireWriter, cluster: string): void {
  const entry = writer.begin(1);
  writer.text(1, 'clusters');
  const value = writer.begin(2);
  const list = writer.begin(6);
  const each = writer.begin(1);
  const struct = writer.begin(5);
  writeField(writer, 'cluster_name', cluster);
  const weight = writer.begin(1);
  writer.text(1, 'weight');
  const one = writer.begin(2);
  writer.double(2, 1);
  for (const begun of [one, weight, struct, each, list, value, entry]) writer.end(begun);
}
