import { STATUS } from '../grpc-status.js';

/*
 * What we say in headers and trailers, encoded once. Nothing is put into a table, so the bytes are the same on every
 * connection. Source: RFC 7541, section 6, and gRPC over HTTP2.
 */

/** `:status: 200`, index 8 of the static table. */
const GOOD = Buffer.of(0x88);
/** Headers before the first answer. */
export const ANSWER_HEADERS = Buffer.concat([GOOD, literal('content-type', 'application/grpc')]);
/** Only headers, for what is no gRPC. */
export const UNSUPPORTED_TYPE = literal(':status', '415');
/** Trailers of a good end. */
export const GOOD_END = literal('grpc-status', String(STATUS.OK));

/** Trailers of an end with this gRPC status. @param message any text */
export function endBlock(code: number, message: string): Buffer {
  if (code === STATUS.OK) return GOOD_END;
  return Buffer.concat([
    literal('grpc-status', String(code)),
    literal('grpc-message', encodeURI(message.toWellFormed())),
  ]);
}

/** A header field that nobody keeps, its texts as they are. @param value latin1 */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length: number[] = [];
  let rest = bytes.length;
  if (rest >= 0x7f) {
    length.push(0x7f);
    rest -= 0x7f;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) length.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
