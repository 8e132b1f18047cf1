import type { ServerHttp2Stream } from 'node:http2';
import { STATUS } from '../grpc-status.js';
import { HEADERS, statusHeaders, WITH_TRAILERS } from './http2-call.js';

/** Answers `grpc.health.v1.Health/Check` once the question is whole; what it asks about makes no difference. */
export function answerHealth(stream: ServerHttp2Stream, status: () => number): void {
  stream.on('error', () => undefined);
  stream.on('wantTrailers', () => stream.sendTrailers(statusHeaders(STATUS.OK, '')));
  stream.on('end', () => {
    if (stream.destroyed || stream.closed) return;
    stream.respond(HEADERS, WITH_TRAILERS);
    // Field 1, a varint, in its frame.
    stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, status()]));
  });
  stream.resume();
}
