import { GatewayError } from '../dialects/error.js';
import {
  anthropicModels,
  googleModels,
  type ModelShape,
  openAiModels,
  type PageAsk,
} from '../dialects/model-shapes.js';
import type { Refuse } from './reply.js';
import type { RequestState } from './state.js';

/** `GET /v1/models`, `/v1beta/models` and one of each: only what the key may use. Throws `model_not_found`. */
export function modelList(state: RequestState): Refuse {
  const { key, rules, modelId } = state;
  if (!key) throw new Error('listing models without a key');
  const shape = shapeFor(state);
  const model = modelId === null ? null : rules.models.find(key, modelId);
  if (modelId !== null && model === null)
    throw new GatewayError(
      'model_not_found',
      `The model "${modelId.slice(0, 120)}" does not exist or is not for this key.`,
      { param: 'model' },
    );
  const shown = model === null ? shape.list(rules.models.list(key), pageAsk(state)) : shape.one(model);
  state.status = 200;
  return {
    kind: 'refuse',
    status: 200,
    headers: [
      ['content-type', 'application/json'],
      ['x-request-id', state.id],
    ],
    body: Buffer.from(JSON.stringify(shown)),
    details: 'tollgate_models',
  };
}

/** Google's clients have a path of their own, Anthropic's a header. */
function shapeFor({ endpoint, headers }: RequestState): ModelShape {
  if (endpoint?.errors === 'google') return googleModels;
  return headers.get('anthropic-version') === undefined ? openAiModels : anthropicModels;
}

function pageAsk({ headers }: RequestState): PageAsk {
  const path = headers.get(':path') ?? '';
  const start = path.indexOf('?');
  const query = new URLSearchParams(start < 0 ? '' : path.slice(start + 1));
  return {
    limit: query.get('limit') ?? query.get('pageSize'),
    pageToken: query.get('pageToken'),
    after: query.get('after_id'),
    before: query.get('before_id'),
  };
}
