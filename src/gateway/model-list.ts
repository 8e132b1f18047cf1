import { GatewayError } from '../dialects/error.js';
import type { Refuse } from './reply.js';
import type { RequestState } from './state.js';

/** `GET /v1/models` and `/v1/models/{id}`: only what the key may use. Throws `model_not_found`. */
export function modelList(state: RequestState): Refuse {
  const { key, rules, modelId } = state;
  if (!key) throw new Error('listing models without a key');
  const found = modelId === null ? { object: 'list', data: rules.models.list(key) } : rules.models.find(key, modelId);
  if (!found)
    throw new GatewayError(
      'model_not_found',
      `The model "${modelId?.slice(0, 120)}" does not exist or is not for this key.`,
      { param: 'model' },
    );
  state.status = 200;
  return {
    kind: 'refuse',
    status: 200,
    headers: [
      ['content-type', 'application/json'],
      ['x-request-id', state.id],
    ],
    body: Buffer.from(JSON.stringify(found)),
    details: 'tollgate_models',
  };
}
