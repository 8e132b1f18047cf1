import { isObject, type JsonObject, objectIn } from '../../json-value.js';
import { type Scope, VERSION_WITH_JSON_SCHEMA, VERSION_WITH_SIGNATURES } from './scope.js';

/** What a client asked for, whichever way it said so. */
interface Wish {
  readonly field: string;
  readonly effort: Effort | null;
  /** Tokens; null = none were named. */
  readonly budget: number | null;
}

type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'most';

const EFFORTS: ReadonlyMap<unknown, Effort> = new Map([
  ['none', 'none'],
  ['minimal', 'minimal'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'most'],
  ['max', 'most'],
]);

/** As on Google's own OpenAI endpoint. https://ai.google.dev/gemini-api/docs/openai#thinking */
const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  most: 32_768,
};
/** Left to the model: how much it thinks depends on the question. */
const DYNAMIC = -1;

/** `thinkingConfig`, or null where the client asked for nothing that the model knows. */
export function writeThinking(request: JsonObject, scope: Scope): JsonObject | null {
  const wish = readWish(request, scope);
  if (wish === null) return null;
  if (scope.version >= VERSION_WITH_SIGNATURES) return levelOf(wish, scope);
  if (scope.version >= VERSION_WITH_JSON_SCHEMA) return budgetOf(wish, scope);
  if (wish.effort !== 'none') scope.losses.drop(wish.field);
  return null;
}

/** `thinking` (of the hub) says more than `reasoning_effort`. */
function readWish(request: JsonObject, { losses }: Scope): Wish | null {
  const thinking = objectIn(request, 'thinking');
  const stated = request['reasoning_effort'];
  const effort = EFFORTS.get(stated) ?? null;
  if (stated !== undefined && stated !== null && effort === null) losses.drop('reasoning_effort');
  const budget = thinking?.['budget_tokens'];
  const type = thinking?.['type'];
  if (type === 'disabled') return { field: 'thinking', effort: 'none', budget: null };
  if (typeof budget === 'number') return { field: 'thinking', effort: null, budget };
  if (effort !== null) return { field: 'reasoning_effort', effort, budget: null };
  return isObject(thinking) ? { field: 'thinking', effort: null, budget: null } : null;
}

function budgetOf({ field, effort, budget }: Wish, { model, losses }: Scope): JsonObject {
  const pro = model.includes('-pro');
  const [least, most] = pro ? [128, 32_768] : [model.includes('-lite') ? 512 : 1, 24_576];
  if (effort === 'none') {
    if (!pro) return { thinkingBudget: 0 };
    losses.drop(field);
    return { thinkingBudget: least };
  }
  const wanted = effort === null ? budget : BUDGETS[effort];
  const thinkingBudget = wanted === null ? DYNAMIC : Math.min(Math.max(wanted, least), most);
  return { thinkingBudget, includeThoughts: true };
}

function levelOf({ field, effort, budget }: Wish, { model, version, losses }: Scope): JsonObject {
  const pro = model.includes('-pro');
  if (effort === 'none') {
    // It cannot be turned off.
    losses.drop(field);
    return { thinkingLevel: pro ? 'LOW' : 'MINIMAL' };
  }
  const wanted = effort ?? (budget === null ? null : effortOf(budget));
  if (wanted === null) return { includeThoughts: true };
  if (wanted === 'most') losses.drop(field);
  if (wanted === 'minimal') return { thinkingLevel: pro ? 'LOW' : 'MINIMAL', includeThoughts: true };
  // Google's own endpoint takes it so: the first Pro of this generation knows two levels.
  const medium = pro && version < 3.1 ? 'HIGH' : 'MEDIUM';
  const thinkingLevel = wanted === 'low' ? 'LOW' : wanted === 'medium' ? medium : 'HIGH';
  return { thinkingLevel, includeThoughts: true };
}

/** The level whose budget is nearest above. */
function effortOf(budget: number): Effort {
  if (budget <= BUDGETS.low) return 'low';
  return budget <= BUDGETS.medium ? 'medium' : 'high';
}
