import { FrameReader } from '../../src/extproc/transport/h2/frame-reader.js';
import { HpackDecoder } from '../../src/extproc/transport/h2/hpack-decoder.js';
import type { MicroCase } from './micro-case.js';
import { chatRequest, DELTA } from './run/answers.js';
import { requestBody, responseBody } from './run/envoy-messages.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const DATA = 0;
const LARGEST_FRAME = 256 * 1024;
const GRPC_HEAD = 5;

/** A literal without Huffman coding that stays in the table; RFC 7541, section 6.2.1. */
function kept(name: string, value: string): Buffer {
  const text = (of: string): Buffer => Buffer.concat([Buffer.from([of.length]), Buffer.from(of)]);
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

/** What Envoy says of a gRPC stream the first time; again, everything but the id is in the table. */
const FIRST = Buffer.concat([
  Buffer.from([0x83, 0x86]),
  kept(':path', '/envoy.service.ext_proc.v3.ExternalProcessor/Process'),
  kept(':authority', 'tollgate_ext_proc'),
  kept('te', 'trailers'),
  kept('content-type', 'application/grpc'),
  kept('role', 'request'),
  kept('x-envoy-internal', 'true'),
]);
const TABLE_BEGINS = 62;
const AGAIN = Buffer.concat([
  Buffer.from([0x83, 0x86, ...[5, 4, 3, 2, 1, 0].map((at) => 0x80 | (TABLE_BEGINS + at))]),
  // Not kept, so that the places of the others stay.
  Buffer.from([0x00, 4]),
  Buffer.from('x-id'),
  Buffer.from([36]),
  Buffer.from('0b4e2ad5-8c3e-4a8b-9f5c-000000000001'),
]);

function headers(): MicroCase {
  const decoder = new HpackDecoder();
  let fields = 0;
  const sink = {
    take: () => {
      fields += 1;
    },
  };
  decoder.decode(FIRST, sink);
  return {
    name: 'http2: headers of a stream read',
    run(times) {
      fields = 0;
      for (let at = 0; at < times; at += 1) decoder.decode(AGAIN, sink);
      if (fields !== times * 9) throw new Error(`${fields} fields in ${times} blocks`);
    },
  };
}

/** A gRPC message in one DATA frame of stream 1. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(9 + GRPC_HEAD);
  head.writeUIntBE(message.length + GRPC_HEAD, 0, 3);
  head.writeUInt8(DATA, 3);
  head.writeUInt32BE(1, 5);
  head.writeUInt32BE(message.length, 10);
  return Buffer.concat([head, message]);
}

/** @param pieces in which the bytes come from the socket */
function frames(name: string, bytes: Buffer, pieces: number): MicroCase {
  let data = 0;
  const take = (from: number, to: number): void => {
    data += to - from;
  };
  const none = (): undefined => undefined;
  const sink = {
    frame: none,
    dataBegins: none,
    dataEnds: none,
    data: (_: Buffer, from: number, to: number) => take(from, to),
  };
  const reader = new FrameReader(sink, LARGEST_FRAME);
  reader.push(PREFACE);
  const size = Math.ceil(bytes.length / pieces);
  const cut = Array.from({ length: pieces }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
  return {
    name,
    run(times) {
      data = 0;
      for (let at = 0; at < times; at += 1) for (const piece of cut) reader.push(piece);
      if (data !== times * (bytes.length - 9)) throw new Error(`${data} bytes of ${times} frames`);
    },
  };
}

/** Reading of our own HTTP/2, without sockets. */
export function cases(): readonly MicroCase[] {
  return [
    headers(),
    frames('http2: frame of a chunk read', frame(responseBody(DELTA, false)), 1),
    frames('http2: frame of 200 KB read, in four pieces', frame(requestBody(chatRequest(200_000))), 4),
  ];
}
