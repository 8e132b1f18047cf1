import { type JsonObject, objectIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';

const FIELD = 'generationConfig.thinkingConfig';
const LEVELS: ReadonlyMap<unknown, string> = new Map([
  ['MINIMAL', 'minimal'],
  ['LOW', 'low'],
  ['MEDIUM', 'medium'],
  ['HIGH', 'high'],
]);
/** As Google's own OpenAI endpoint reads efforts. */
const LOW_BUDGET = 1024;
const MEDIUM_BUDGET = 8192;

/** `thinkingConfig`: a level is an effort; a budget is one for another translation, and the nearest effort for a provider. */
export function writeThinking(config: JsonObject, { extended, losses }: TranslationContext): JsonObject {
  const thinking = objectIn(config, 'thinkingConfig');
  const level = thinking?.['thinkingLevel'];
  const effort = LEVELS.get(typeof level === 'string' ? level.toUpperCase() : null);
  if (effort !== undefined) return { reasoning_effort: effort };
  const budget = thinking?.['thinkingBudget'];
  // Below zero the model decides, as it does when nobody asks.
  if (typeof budget !== 'number' || budget < 0) return {};
  if (extended) return { thinking: budget === 0 ? { type: 'disabled' } : { type: 'enabled', budget_tokens: budget } };
  if (budget > 0) return { reasoning_effort: effortOf(budget) };
  // Who does not think at all refuses to hear of it.
  losses.drop(FIELD);
  return {};
}

/** Google shows thoughts only to who asks. */
export function showsThoughts(request: JsonObject): boolean {
  return objectIn(objectIn(request, 'generationConfig'), 'thinkingConfig')?.['includeThoughts'] === true;
}

function effortOf(budget: number): string {
  if (budget <= LOW_BUDGET) return 'low';
  return budget <= MEDIUM_BUDGET ? 'medium' : 'high';
}
