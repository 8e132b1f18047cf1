import type { ErrorShape } from '../dialects/endpoint.js';
import { type GatewayError, renderError } from '../dialects/error.js';
import type { Refuse } from './reply.js';

/** An error as a whole answer in the client's dialect. */
export function refuse(error: GatewayError, shape: ErrorShape, id: string): Refuse {
  const rendered = renderError(error, shape, id === '' ? undefined : id);
  return {
    kind: 'refuse',
    status: rendered.status,
    headers: Object.entries(rendered.headers),
    body: rendered.body,
    details: `tollgate_${error.code}`,
  };
}
