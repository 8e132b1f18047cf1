import type { Endpoint } from '../endpoint.js';

/** Where clients open sessions: a WebSocket. */
export const REALTIME_PATH = '/v1/realtime';

/** The endpoint of `GET /v1/realtime?model=…`; null for other paths. What else is in the query goes to the provider too. */
export function realtimeEndpoint(path: string): Endpoint | null {
  const [bare, query = ''] = path.split('#', 1)[0]?.split('?', 2) ?? [];
  if (bare !== REALTIME_PATH) return null;
  const asked = new URLSearchParams(query);
  const model = asked.get('model') ?? '';
  asked.delete('model');
  const rest = asked.toString();
  return {
    path: REALTIME_PATH,
    method: 'GET',
    wire: 'openai-realtime',
    errors: 'openai',
    body: 'any',
    upstreamPath: rest === '' ? '/realtime' : `/realtime?${rest}`,
    named: { model, stream: true, sse: false },
  };
}

/** A provider's path for a session with this model. */
export function withModel(path: string, model: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}model=${encodeURIComponent(model)}`;
}
