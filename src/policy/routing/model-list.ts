import type { ModelTarget, Target } from '../../config/snapshot.js';
import type { ModelFacts } from '../../dialects/model-facts.js';
import type { OfferedModel } from '../../dialects/model-shapes.js';
import type { Access } from '../access.js';
import type { GatewayKey } from '../keys/key-ring.js';
import { createResolver, type Names } from './resolve.js';

export interface ModelList {
  /** What this key may use: configured names, then known `provider/model`s; each part sorted by name. */
  list(key: GatewayKey): readonly OfferedModel[];
  /** One of them, or any other allowed name that a request could use (a model newer than every list); else null. */
  find(key: GatewayKey, id: string): OfferedModel | null;
}

export interface ModelListSources {
  readonly names: Names;
  readonly access: Access;
  /** Model names by configured provider, as the price catalogue knows them; for providers not in it: absent. */
  readonly catalogue: ReadonlyMap<string, readonly string[]>;
  /** What else the catalogue knows of one of them. Asked once for each name. */
  readonly details?: (provider: string, model: string) => Omit<ModelFacts, 'id'> | null;
  /** What the provider itself lists now. Asked in every call: the same array means that nothing has changed. */
  readonly listed?: (provider: string) => readonly ModelFacts[];
  /** Epoch milliseconds when the configuration came into use: there is no better date for a name. */
  readonly createdAt: number;
}

const NOTHING: Omit<ModelFacts, 'id'> = { title: null, contextWindow: null, maxOutput: null };
const OF_THE_CONFIG = 'tollgate';

/** The models that a key may use. Built once per snapshot, and a provider's part anew when its list has changed. */
export function createModelList(sources: ModelListSources): ModelList {
  const { names, access } = sources;
  const resolver = createResolver(names);
  const created = Math.floor(sources.createdAt / 1000);
  const configured = new Map<string, OfferedModel>();
  for (const [id, { targets }] of [...names.models].sort(([one], [other]) => (one < other ? -1 : 1))) {
    configured.set(id, {
      id,
      owner: OF_THE_CONFIG,
      created,
      ...NOTHING,
      contextWindow: smallestWindow(targets, sources),
    });
  }
  const parts = names.gateway.modelsOnly
    ? []
    : [...names.providers.keys()].map((provider) => new ProviderPart(provider, sources, configured));
  return {
    list(key) {
      const all = [configured, ...parts.map((part) => part.models())];
      return all.flatMap((models) => [...models.values()].filter(({ id }) => access(key, id)));
    },
    find(key, id) {
      if (!access(key, id)) return null;
      const target = resolver.resolve(id)?.targets[0];
      const known =
        configured.get(id) ??
        parts
          .find(({ provider }) => provider === target?.provider)
          ?.models()
          .get(id);
      if (known !== undefined || target === undefined) return known ?? null;
      return { id, owner: target.provider, created, ...factsOf(target, sources) };
    },
  };
}

/** One provider's models: the catalogue's and its own. */
class ProviderPart {
  readonly provider: string;
  readonly #sources: ModelListSources;
  /** Names of the config come first, whatever a provider calls its models. */
  readonly #taken: ReadonlyMap<string, unknown>;
  #listed: readonly ModelFacts[] = [];
  #models: ReadonlyMap<string, OfferedModel>;

  constructor(provider: string, sources: ModelListSources, taken: ReadonlyMap<string, unknown>) {
    this.provider = provider;
    this.#sources = sources;
    this.#taken = taken;
    this.#models = this.#merged();
  }

  models(): ReadonlyMap<string, OfferedModel> {
    const listed = this.#sources.listed?.(this.provider) ?? this.#listed;
    if (listed !== this.#listed) {
      this.#listed = listed;
      this.#models = this.#merged();
    }
    return this.#models;
  }

  #merged(): ReadonlyMap<string, OfferedModel> {
    const { catalogue, createdAt } = this.#sources;
    const byName = new Map(this.#listed.map((facts) => [facts.id, facts]));
    const models = new Map<string, OfferedModel>();
    for (const model of [...new Set([...(catalogue.get(this.provider) ?? []), ...byName.keys()])].sort()) {
      const id = `${this.provider}/${model}`;
      if (this.#taken.has(id)) continue;
      const known = factsOf({ provider: this.provider, model }, this.#sources);
      models.set(id, {
        id,
        owner: this.provider,
        created: Math.floor(createdAt / 1000),
        ...completed(byName.get(model) ?? NOTHING, known),
      });
    }
    return models;
  }
}

/** What the provider tells stands; the catalogue fills the gaps. */
function completed(told: Omit<ModelFacts, 'id'>, known: Omit<ModelFacts, 'id'>): Omit<ModelFacts, 'id'> {
  return {
    title: told.title ?? known.title,
    contextWindow: told.contextWindow ?? known.contextWindow,
    maxOutput: told.maxOutput ?? known.maxOutput,
  };
}

function factsOf(target: Pick<Target, 'provider' | 'model'>, sources: ModelListSources): Omit<ModelFacts, 'id'> {
  return sources.details?.(target.provider, target.model) ?? NOTHING;
}

/** What surely fits, whichever target answers; null where nobody knows it of any. */
function smallestWindow(targets: readonly ModelTarget[], sources: ModelListSources): number | null {
  const windows = targets.map((target) => target.contextWindow ?? factsOf(target, sources).contextWindow);
  const known = windows.filter((window) => window !== null);
  return known.length === 0 ? null : Math.min(...known);
}
