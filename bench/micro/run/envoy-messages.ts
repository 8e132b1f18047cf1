/*
 * What Envoy sends, written by hand so that it is the same for every revision. Field numbers:
 * proto/external_processor.proto.
 */

type Fields = readonly (readonly [name: string, value: string])[];

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value, 'latin1'));
}

function flag(number: number, value: boolean): Buffer {
  return value ? Buffer.concat([varint(number << 3), varint(1)]) : Buffer.alloc(0);
}

function headers(fields: Fields, last: boolean): Buffer {
  // `key` and `raw_value`.
  const map = fields.map(([name, value]) => field(1, Buffer.concat([text(1, name), text(3, value)])));
  return Buffer.concat([field(1, Buffer.concat(map)), flag(3, last)]);
}

/** One entry of a Struct's map with a string. */
function entry(name: string, value: string): Buffer {
  return field(1, Buffer.concat([text(1, name), field(2, text(3, value))]));
}

export function requestHeaders(fields: Fields): Buffer {
  return field(2, headers(fields, false));
}

export function requestBody(body: Buffer): Buffer {
  return field(4, Buffer.concat([field(1, body), flag(2, true)]));
}

export function responseHeaders(fields: Fields): Buffer {
  const attributes = [entry('response.code_details', 'via_upstream'), entry('xds.cluster_name', 'p')];
  const named = Buffer.concat([text(1, 'envoy.filters.http.ext_proc'), field(2, Buffer.concat(attributes))]);
  return Buffer.concat([field(3, headers(fields, false)), field(9, named)]);
}

export function responseBody(body: Buffer, last: boolean): Buffer {
  return field(5, Buffer.concat([field(1, body), flag(2, last)]));
}
