import { findProvider } from '@pydantic/genai-prices';

/** Model ids that the price catalogue lists for one of its provider ids; empty when it does not know the provider. */
export function catalogueModels(priceId: string): readonly string[] {
  return findProvider({ providerId: priceId })?.models.map((model) => model.id) ?? [];
}

/** What the catalogue says of one of its models. */
export interface CatalogueModel {
  readonly title: string | null;
  /** Tokens of input and output together. */
  readonly contextWindow: number | null;
  /** Not in the catalogue. */
  readonly maxOutput: null;
}

/** The same models with what is known of them, by id. */
export function catalogueDetails(priceId: string): ReadonlyMap<string, CatalogueModel> {
  const models = findProvider({ providerId: priceId })?.models ?? [];
  const details = models.map(({ id, name, context_window: window }): [string, CatalogueModel] => [
    id,
    { title: name ?? null, contextWindow: window ?? null, maxOutput: null },
  ]);
  return new Map(details);
}
