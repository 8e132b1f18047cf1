import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

const DECODERS: Readonly<Record<string, (body: Buffer, options: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

/** A short whole body (an error message) without its content-encoding; null when it cannot be decoded within `maxBytes`. */
export function decodeWhole(body: Buffer, encoding: string | undefined, maxBytes: number): Buffer | null {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  try {
    return DECODERS[name]?.(body, { maxOutputLength: maxBytes }) ?? null;
  } catch {
    return null;
  }
}
