import { modelSchema, retrySchema, type ValidModel, type ValidRetry } from './model-schema.js';
import { retryOn } from './retry-on.js';
import type { Model, ModelTarget, Retry, Snapshot, Target } from './snapshot.js';

export function compileModel(name: string, model: ValidModel): Model {
  const retry = retryOf(model.retry);
  return {
    name,
    targets: model.targets.map((target) => targetOf(target, retry)),
    balance: model.balance,
    retry,
    retryBudget: orNull(model.retry_budget),
    allowUnpriced: model.allow_unpriced,
    strict: model.strict,
    outputCap: model.output_cap,
  };
}

/** For names that no configured model covers: what the schema gives a model that says nothing. */
export function modelDefaults(): Snapshot['defaults'] {
  const { retry_budget, output_cap } = modelSchema.parse({ targets: ['any/model'] });
  return { retry: retryOf(retrySchema.parse({})), retryBudget: orNull(retry_budget), outputCap: output_cap };
}

function retryOf(retry: ValidRetry): Retry {
  return {
    attempts: retry.attempts ?? null,
    on: retryOn(retry.on),
    responseMs: retry.response,
    firstTokenMs: orNull(retry.first_token),
    stallMs: retry.stall,
    totalMs: retry.total,
  };
}

function targetOf(target: ValidModel['targets'][number], models: Retry): ModelTarget {
  if (typeof target === 'string') return { ...splitTarget(target), weight: 1, contextWindow: null, retry: models };
  const own = target.retry;
  const retry: Retry =
    own === undefined
      ? models
      : {
          ...models,
          on: own.on === undefined ? models.on : retryOn(own.on),
          responseMs: own.response ?? models.responseMs,
          firstTokenMs: own.first_token === undefined ? models.firstTokenMs : orNull(own.first_token),
          stallMs: own.stall ?? models.stallMs,
        };
  return { ...splitTarget(target.model), weight: target.weight, contextWindow: target.context_window ?? null, retry };
}

function orNull(value: number | 'off'): number | null {
  return value === 'off' ? null : value;
}

/** `provider/model`, split at the first slash. */
function splitTarget(name: string): Target {
  const slash = name.indexOf('/');
  return { name, provider: name.slice(0, slash), model: name.slice(slash + 1) };
}
