import { amountIn, type JsonObject, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';

/** Budgets of thinking as efforts: clients ask for 4,000, 10,000 and 32,000 tokens. */
const LOW_BUDGET = 4_096;
const MEDIUM_BUDGET = 16_384;
/** Anthropic's efforts; `xhigh` and `max` are known to a few models of OpenAI only. */
const EFFORTS: ReadonlyMap<string, string> = new Map([
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'high'],
  ['max', 'high'],
]);

/** Whether the client wants to see thoughts. Absent and `disabled` are Anthropic's "no". */
export function asksForThoughts(request: JsonObject): boolean {
  const thinking = objectIn(request, 'thinking');
  const type = stringIn(thinking, 'type');
  return type !== null && type !== 'disabled' && stringIn(thinking, 'display') !== 'omitted';
}

/**
 * How much the model should think. An effort says it best; a budget is the older way. `adaptive` alone leaves it to the model,
 * as every provider does by itself, and `disabled` is the default of the dialect: neither is a loss.
 */
export function chatThinking(request: JsonObject, context: TranslationContext): JsonObject {
  const effort = stringIn(objectIn(request, 'output_config'), 'effort');
  const thinking = objectIn(request, 'thinking');
  if (context.extended) {
    return { ...(thinking === null ? {} : { thinking }), ...(effort === null ? {} : { reasoning_effort: effort }) };
  }
  const field = effort === null ? 'thinking' : 'output_config.effort';
  const wanted = effort ?? budgetEffort(thinking);
  if (wanted === null) return {};
  const known = EFFORTS.get(wanted);
  const isSilenced = thinking?.['type'] === 'disabled';
  if (context.takesEffort === false || isSilenced || known === undefined) {
    context.losses.drop(field);
    return {};
  }
  if (known !== wanted) context.losses.drop(field);
  return { reasoning_effort: known };
}

function budgetEffort(thinking: JsonObject | null): string | null {
  if (thinking?.['type'] !== 'enabled') return null;
  const budget = amountIn(thinking, 'budget_tokens') ?? MEDIUM_BUDGET;
  if (budget <= LOW_BUDGET) return 'low';
  return budget < MEDIUM_BUDGET ? 'medium' : 'high';
}
