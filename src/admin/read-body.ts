import type { IncomingMessage } from 'node:http';
import { AdminError } from './reply.js';

/** No change of ours is near this long. Bytes. */
const MOST = 256 * 1024;

/** The JSON body of a request; undefined when it has none. Every mistake is a 4xx. */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MOST) {
      const headers = { connection: 'close' };
      throw new AdminError(413, 'request_too_large', `The body may have ${MOST} bytes.`, { headers });
    }
    pieces.push(piece);
  }
  if (length === 0) return undefined;
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new AdminError(415, 'unsupported_media_type', 'Send the body as application/json.');
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)));
  } catch {
    throw new AdminError(400, 'invalid_json', 'The body is not JSON in UTF-8.');
  }
}
