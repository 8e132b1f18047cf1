import type { IncomingMessage } from 'node:http';

/** A request's whole body; null when the client left first or the body is longer than `most` bytes. */
export function readBody(request: IncomingMessage, most: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= most) chunks.push(chunk);
    });
    request.on('end', () => resolve(length <= most ? Buffer.concat(chunks) : null));
    request.on('error', () => resolve(null));
    request.on('close', () => resolve(null));
  });
}
