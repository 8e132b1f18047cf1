import { createPriceBook } from '../accounting/prices.js';
import type { Snapshot } from '../config/snapshot.js';
import type { ModelFacts } from '../dialects/model-facts.js';
import type { Rules } from '../gateway/parts.js';
import { MOCK_MODELS } from '../mock/models.js';
import { createAccess, createEndpointAccess } from '../policy/access.js';
import type { KeyRing } from '../policy/keys/key-ring.js';
import type { Limiter } from '../policy/limits/limiter.js';
import { createModelList } from '../policy/routing/model-list.js';
import { createResolver } from '../policy/routing/resolve.js';
import { createRouter } from '../policy/routing/routes.js';
import type { ProviderKind } from '../providers/kind.js';

export interface RuleSources {
  readonly snapshot: Snapshot;
  readonly kinds: ReadonlyMap<string, ProviderKind>;
  /** Model names that the price catalogue knows for one of its provider ids. */
  readonly modelsOf: (priceId: string) => readonly string[];
  /** What else it knows of them. */
  readonly detailsOf?: (priceId: string) => ReadonlyMap<string, Omit<ModelFacts, 'id'>>;
  /** What a provider itself lists now. */
  readonly listed?: (provider: string) => readonly ModelFacts[];
  readonly keys: KeyRing;
  readonly limiter: Limiter;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Decides at construction all that a request would otherwise decide again. */
export function compileRules(sources: RuleSources): Rules {
  const { snapshot, kinds } = sources;
  const priceIds = new Map(
    [...snapshot.providers.values()].map((account) => [account.name, kinds.get(account.kind)?.priceId ?? null]),
  );
  const catalogue = new Map<string, readonly string[]>();
  for (const [provider, priceId] of priceIds) if (priceId !== null) catalogue.set(provider, sources.modelsOf(priceId));
  for (const account of snapshot.providers.values()) {
    if (account.kind === 'mock') catalogue.set(account.name, MOCK_MODELS.map((model) => model.name).filter(isName));
  }
  const details = new Map(
    [...priceIds].map(([provider, priceId]) => [provider, priceId === null ? null : sources.detailsOf?.(priceId)]),
  );
  const access = createAccess();
  return {
    snapshot,
    keys: sources.keys,
    access,
    endpoints: createEndpointAccess(),
    resolver: createResolver(snapshot),
    models: createModelList({
      names: snapshot,
      access,
      catalogue,
      createdAt: sources.now,
      details: (provider, model) => details.get(provider)?.get(model) ?? null,
      ...(sources.listed ? { listed: sources.listed } : {}),
    }),
    prices: createPriceBook({ overrides: snapshot.prices, priceIds, discounts: snapshot.discounts }),
    router: createRouter(snapshot.routes),
    limiter: sources.limiter,
  };
}

/** Some of the mock's models are a family, `slow-<ms>`: nothing to list. */
function isName(model: string): boolean {
  return !model.includes('<');
}
