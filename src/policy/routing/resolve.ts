import { LRUCache } from 'lru-cache';
import type { Balance, ModelTarget, Retry, Snapshot, Target } from '../../config/snapshot.js';

/** What a name that a client sent stands for. */
export interface Resolution {
  /** The configured model's name, or `provider/model`. */
  readonly model: string;
  /** Tried in this order; at least one. */
  readonly targets: readonly ModelTarget[];
  readonly balance: Balance;
  readonly retry: Retry;
  /** Share of extra attempts, see `Model.retryBudget`; null = no bound. */
  readonly retryBudget: number | null;
  readonly allowUnpriced: boolean;
  /** A field that a target cannot express is refused, not left out. */
  readonly strict: boolean;
  /** See `Model.outputCap`. */
  readonly outputCap: number;
}

export interface Resolver {
  /** Null: no such model (404 `model_not_found`). Case-sensitive. */
  resolve(name: string): Resolution | null;
}

/** The part of a snapshot that names are resolved against. */
export type Names = Pick<Snapshot, 'models' | 'providers' | 'defaults'> & {
  readonly gateway: Pick<Snapshot['gateway'], 'modelsOnly'>;
};

/** No provider names a model with more; UTF-16 units. */
const LONGEST_NAME = 512;
/** Control characters and halves of a surrogate pair. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

/** Names that were asked for lately: a flood of invented ones must not fill the memory. */
const MOST_KNOWN = 1_000;

/** Configured names first, then `provider/model` unless the config says `models_only`. Source: design 1.4 "Names". */
export function createResolver(names: Names): Resolver {
  const known = new LRUCache<string, Resolution>({ max: MOST_KNOWN });
  return {
    resolve(name) {
      const seen = known.get(name);
      if (seen !== undefined) return seen;
      const resolution = resolve(names, name);
      if (resolution !== null) known.set(name, resolution);
      return resolution;
    },
  };
}

function resolve(names: Names, name: string): Resolution | null {
  const model = names.models.get(name);
  if (model !== undefined) {
    const { targets, balance, retry, retryBudget, allowUnpriced, outputCap, strict = false } = model;
    return { model: name, targets, balance, retry, retryBudget, allowUnpriced, outputCap, strict };
  }
  if (names.gateway.modelsOnly) return null;
  const target = readTarget(name, names.providers);
  if (target === null) return null;
  const { retry, retryBudget, outputCap } = names.defaults;
  const targets = [{ ...target, weight: 1, contextWindow: null, retry }];
  return {
    model: name,
    targets,
    balance: 'ordered',
    retry,
    retryBudget,
    allowUnpriced: false,
    outputCap,
    strict: false,
  };
}

/**
 * `provider/model`, split at the first slash; the rest goes to the provider as it is, slashes included. Null when the
 * provider is not configured, the model is empty, or the name could not be put into a header or a log line.
 */
function readTarget(name: string, providers: ReadonlyMap<string, unknown>): Target | null {
  const slash = name.indexOf('/');
  if (slash < 1 || slash === name.length - 1 || name.length > LONGEST_NAME || UNPRINTABLE.test(name)) return null;
  const provider = name.slice(0, slash);
  return providers.has(provider) ? { name, provider, model: name.slice(slash + 1) } : null;
}
