import type { Access } from '../access.js';
import type { GatewayKey } from '../keys/key-ring.js';
import { createResolver, type Names } from './resolve.js';

/** One entry of OpenAI's `GET /v1/models`. `created` is epoch seconds. */
export interface ModelObject {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
}

export interface ModelList {
  /** What this key may use: configured names, then known `provider/model`s; each part sorted by name. */
  list(key: GatewayKey): readonly ModelObject[];
  /** One of them, or any other allowed name that a request could use (a model newer than the catalogue); else null. */
  find(key: GatewayKey, id: string): ModelObject | null;
}

export interface ModelListSources {
  readonly names: Names;
  readonly access: Access;
  /** Model names by configured provider, as the price catalogue knows them; for providers not in it: absent. */
  readonly catalogue: ReadonlyMap<string, readonly string[]>;
  /** Epoch milliseconds when the configuration came into use: there is no better date for a name. */
  readonly createdAt: number;
}

/** The models that a key may use. Built once per snapshot; each call only filters. */
export function createModelList(sources: ModelListSources): ModelList {
  const { names, access } = sources;
  const resolver = createResolver(names);
  const created = Math.floor(sources.createdAt / 1000);
  const entry = (id: string, owner: string): ModelObject => ({ id, object: 'model', created, owned_by: owner });
  const known = new Map<string, ModelObject>();
  for (const id of [...names.models.keys()].sort()) known.set(id, entry(id, 'tollgate'));
  for (const [provider, models] of names.gateway.modelsOnly ? [] : sources.catalogue) {
    if (!names.providers.has(provider)) continue;
    for (const model of [...models].sort()) {
      const id = `${provider}/${model}`;
      if (!known.has(id)) known.set(id, entry(id, provider));
    }
  }
  const all = [...known.values()];
  return {
    list: (key) => all.filter((model) => access(key, model.id)),
    find(key, id) {
      if (!access(key, id)) return null;
      const listed = known.get(id);
      if (listed !== undefined) return listed;
      const target = resolver.resolve(id)?.targets[0];
      return target === undefined ? null : entry(id, target.provider);
    },
  };
}
