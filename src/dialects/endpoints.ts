import type { Endpoint, ErrorShape, Wire } from './endpoint.js';

/** The OpenAI paths of design 1.5. */
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
];

const BY_PATH: ReadonlyMap<string, Endpoint> = new Map(ENDPOINTS.map((endpoint) => [endpoint.path, endpoint]));
const MODELS = get('/v1/models');
/** One model; its id may hold slashes, plain or as %2F. Records get this path, not the id. */
const MODEL = get('/v1/models/{model}');
const MODEL_PREFIX = '/v1/models/';
const GOOGLE_ACTION = /:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents|predict)$/;

/**
 * The endpoint that serves `method` on `path`; null = 404. Exact and case-sensitive, the query string is not looked at.
 * @param path the `:path` header as it came, query included
 */
export function matchEndpoint(method: string, path: string): Endpoint | null {
  const bare = withoutQuery(path);
  if (method === 'POST') return BY_PATH.get(bare) ?? null;
  if (method !== 'GET') return null;
  if (bare === MODELS.path) return MODELS;
  return modelIdFromPath(bare) === null ? null : MODEL;
}

/** The id in `/v1/models/{id}`, percent-decoded; null when the path is another one or the id is empty or malformed. */
export function modelIdFromPath(path: string): string | null {
  const bare = withoutQuery(path);
  if (!bare.startsWith(MODEL_PREFIX) || GOOGLE_ACTION.test(bare)) return null;
  try {
    return decodeURIComponent(bare.slice(MODEL_PREFIX.length)) || null;
  } catch {
    return null;
  }
}

/** Whose error shape a client on this path reads, also for paths that do not exist (design 1.6 and 6.7). */
export function errorShapeForPath(path: string): ErrorShape {
  const bare = withoutQuery(path);
  if (bare === '/v1/messages' || bare.startsWith('/v1/messages/')) return 'anthropic';
  if (bare === '/v1beta' || bare.startsWith('/v1beta/')) return 'google';
  return bare.startsWith(MODEL_PREFIX) && GOOGLE_ACTION.test(bare) ? 'google' : 'openai';
}

function withoutQuery(path: string): string {
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

function post(path: string, wire: Wire, body: 'json' | 'multipart'): Endpoint {
  return { path, method: 'POST', wire, errors: 'openai', body, upstreamPath: path.slice('/v1'.length) };
}

function get(path: string): Endpoint {
  const upstreamPath = path.slice('/v1'.length);
  return { path, method: 'GET', wire: 'openai-models', errors: 'openai', body: 'none', upstreamPath };
}
