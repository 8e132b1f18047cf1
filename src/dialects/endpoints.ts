import { directEndpoint } from './direct-endpoint.js';
import type { Endpoint, ErrorShape, Wire } from './endpoint.js';
import { GOOGLE_ACTION, googleEndpoint } from './gemini/google-endpoint.js';
import { realtimeEndpoint } from './openai-realtime/endpoint.js';

/** The paths of design 1.5 whose model stands in the body. */
export const ENDPOINTS: readonly Endpoint[] = [
  post('/v1/chat/completions', 'openai-chat', 'json'),
  post('/v1/completions', 'openai-completions', 'json'),
  post('/v1/responses', 'openai-responses', 'json'),
  post('/v1/embeddings', 'openai-embeddings', 'json'),
  post('/v1/moderations', 'openai-moderations', 'json'),
  post('/v1/images/generations', 'openai-images', 'json'),
  post('/v1/audio/speech', 'openai-speech', 'json'),
  post('/v1/audio/transcriptions', 'openai-transcription', 'multipart'),
  post('/v1/audio/translations', 'openai-transcription', 'multipart'),
  post('/v1/messages', 'anthropic-messages', 'json'),
  post('/v1/messages/count_tokens', 'anthropic-count-tokens', 'json'),
  post('/v1/rerank', 'rerank', 'json'),
];

const BY_PATH: ReadonlyMap<string, Endpoint> = new Map(ENDPOINTS.map((endpoint) => [endpoint.path, endpoint]));
const BY_WIRE: ReadonlyMap<Wire, Endpoint> = new Map(ENDPOINTS.toReversed().map((each) => [each.wire, each]));
const MODELS = get('/v1/models');
/** One model; its id may hold slashes, plain or as %2F. Records get this path, not the id. */
const MODEL = get('/v1/models/{model}');
const GOOGLE_MODELS: Endpoint = { ...get('/v1beta/models'), errors: 'google' };
const GOOGLE_MODEL: Endpoint = { ...get('/v1beta/models/{model}'), errors: 'google' };
const MODEL_PREFIXES = ['/v1/models/', '/v1beta/models/'];

/**
 * The endpoint that serves `method` on `path`; null = 404. Exact and case-sensitive; of the query only Google's `alt` is read.
 * @param path the `:path` header as it came, query included
 */
export function matchEndpoint(method: string, path: string): Endpoint | null {
  const bare = withoutQuery(path);
  const known = method === 'POST' ? BY_PATH.get(bare) : undefined;
  if (known !== undefined) return known;
  const direct = directEndpoint(method, path, (rest) => BY_PATH.get(rest) ?? null);
  if (direct !== null) return direct;
  if (method === 'POST') return googleEndpoint(path);
  if (method !== 'GET') return null;
  const realtime = realtimeEndpoint(path);
  if (realtime !== null) return realtime;
  if (bare === MODELS.path) return MODELS;
  if (bare === GOOGLE_MODELS.path) return GOOGLE_MODELS;
  if (modelIdFromPath(bare) === null) return null;
  return bare.startsWith('/v1beta/') ? GOOGLE_MODEL : MODEL;
}

/** The usual endpoint of a wire: what a provider is asked at when the client spoke another one. */
export function endpointOfWire(wire: Wire): Endpoint {
  return BY_WIRE.get(wire) ?? { path: '', method: 'POST', wire, errors: 'openai', body: 'json', upstreamPath: '' };
}

/** The id in `/v1/models/{id}`, percent-decoded; null when the path is another one or the id is empty or malformed. */
export function modelIdFromPath(path: string): string | null {
  const bare = withoutQuery(path);
  const prefix = MODEL_PREFIXES.find((each) => bare.startsWith(each));
  if (prefix === undefined || GOOGLE_ACTION.test(bare)) return null;
  try {
    return decodeURIComponent(bare.slice(prefix.length)) || null;
  } catch {
    return null;
  }
}

/** Whose error shape a client on this path reads, also for paths that do not exist (design 1.6 and 6.7). */
export function errorShapeForPath(path: string): ErrorShape {
  const bare = withoutQuery(path);
  if (bare === '/v1/messages' || bare.startsWith('/v1/messages/')) return 'anthropic';
  if (bare === '/v1beta' || bare.startsWith('/v1beta/')) return 'google';
  if (bare.startsWith('/v1/models/') && GOOGLE_ACTION.test(bare)) return 'google';
  return directEndpoint('POST', path, (rest) => BY_PATH.get(rest) ?? null)?.errors ?? 'openai';
}

function withoutQuery(path: string): string {
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

function post(path: string, wire: Wire, body: 'json' | 'multipart'): Endpoint {
  const errors = wire.startsWith('anthropic') ? 'anthropic' : 'openai';
  return { path, method: 'POST', wire, errors, body, upstreamPath: path.slice('/v1'.length) };
}

function get(path: string): Endpoint {
  const upstreamPath = path.slice('/v1'.length);
  return { path, method: 'GET', wire: 'openai-models', errors: 'openai', body: 'none', upstreamPath };
}
