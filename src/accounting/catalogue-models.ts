import { findProvider } from '@pydantic/genai-prices';

/** Model ids that the price catalogue lists for one of its provider ids; empty when it does not know the provider. */
export function catalogueModels(priceId: string): readonly string[] {
  return findProvider({ providerId: priceId })?.models.map((model) => model.id) ?? [];
}
