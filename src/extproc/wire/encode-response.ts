import type { ProcessingResponse } from '../messages.js';
import { FRAME_PREFIX } from './writer.js';

/** The message alone, in one piece. */
export function encodeResponse(response: ProcessingResponse): Buffer {
  return (Buffer.isBuffer(response) ? response : Buffer.concat(response)).subarray(FRAME_PREFIX);
}

/** Adds the message in its gRPC frame to the pieces; a large body is a piece of its own, never copied. */
export function encodeFramed(response: ProcessingResponse, pieces: Buffer[]): void {
  if (Buffer.isBuffer(response)) pieces.push(response);
  else for (const piece of response) pieces.push(piece);
}

/** A message that somebody else has written, in its frame. */
export function framedResponse(message: Buffer): ProcessingResponse {
  const prefix = Buffer.alloc(FRAME_PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  return [prefix, message];
}
