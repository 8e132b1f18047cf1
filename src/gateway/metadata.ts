import { GatewayError } from '../dialects/error.js';

const MAX_BYTES = 1024;
const NONE: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Reads `x-tollgate-metadata`: a flat JSON object of at most 1 KiB whose values are strings, numbers or booleans.
 * Throws `invalid_metadata`. Returns every value as a string.
 */
export function readMetadata(header: string | undefined): Readonly<Record<string, string>> {
  if (header === undefined || header === '') return NONE;
  if (header.length > MAX_BYTES) throw invalid(`is longer than ${MAX_BYTES} bytes`);
  const value = parse(header);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw invalid('must be a JSON object');
  const metadata: Record<string, string> = Object.create(null);
  for (const [name, entry] of Object.entries(value)) {
    if (typeof entry !== 'string' && typeof entry !== 'number' && typeof entry !== 'boolean') {
      throw invalid(`must be flat: "${name.slice(0, 64)}" is neither text, number nor boolean`);
    }
    metadata[name] = String(entry);
  }
  return metadata;
}

function parse(header: string): unknown {
  try {
    // Header bytes arrive as latin1; JSON text in them is UTF-8.
    return JSON.parse(Buffer.from(header, 'latin1').toString('utf8'));
  } catch {
    throw invalid('is not valid JSON');
  }
}

function invalid(why: string): GatewayError {
  return new GatewayError('invalid_metadata', `The x-tollgate-metadata header ${why}.`);
}
