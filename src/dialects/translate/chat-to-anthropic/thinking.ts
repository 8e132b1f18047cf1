import type { ClaudeModel, Effort } from '../../anthropic/models.js';
import { isObject, type JsonObject, stringIn } from '../../json-value.js';
import { statedAmount } from '../../stated-amount.js';
import type { Losses } from '../losses.js';

/** How much the model is to think. */
export interface Thinking {
  readonly thinking: JsonObject | null;
  readonly effort: Effort | null;
  readonly maxTokens: number;
}

export interface ThinkingNeeds {
  readonly model: ClaudeModel;
  readonly losses: Losses;
  readonly maxTokens: number;
  /** The client or the gateway has set `maxTokens`; otherwise a budget may be added to it. */
  readonly maxIsGiven: boolean;
  /** Thinking by budget is refused: the model must call a tool, or the thoughts before its last calls are gone. */
  readonly budgetBarred: boolean;
}

/** Tokens of thought by OpenAI's words, where a budget must be named. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 4_096,
  high: 8_192,
  xhigh: 16_384,
  max: 32_768,
};
const WORDS: readonly string[] = Object.keys(BUDGETS);
const MIN_BUDGET = 1_024;

/** `thinking` (Anthropic's own) before `reasoning_effort`. */
export function chooseThinking(request: JsonObject, needs: ThinkingNeeds): Thinking {
  const own = request['thinking'];
  const word = stringIn(request, 'reasoning_effort');
  if (isObject(own)) return ownThinking(own, word, needs);
  if (word === null) return { thinking: null, effort: null, maxTokens: needs.maxTokens };
  if (word === 'none') return leastThinking(null, 'reasoning_effort', needs);
  if (!WORDS.includes(word)) return needs.losses.refuse('reasoning_effort', 'it does not know this effort');
  const { model } = needs;
  if (model.adaptive)
    return { thinking: { type: 'adaptive' }, effort: effortFor(word, needs), maxTokens: needs.maxTokens };
  return byBudget(BUDGETS[word] ?? MIN_BUDGET, 'reasoning_effort', needs);
}

/** True when the answer may hold thoughts, so that sampling is restricted. */
export function isThinking(thinking: JsonObject | null): boolean {
  return thinking !== null && thinking['type'] !== 'disabled';
}

type OwnHandler = (own: JsonObject, word: string | null, needs: ThinkingNeeds) => Thinking;

const OWN: ReadonlyMap<string, OwnHandler> = new Map<string, OwnHandler>([
  ['disabled', (_own, word, needs) => leastThinking(word, 'thinking', needs)],
  ['between_tools', (_own, word, needs) => leastThinking(word, 'thinking', needs)],
  ['adaptive', adaptiveThinking],
  ['enabled', enabledThinking],
]);

function ownThinking(own: JsonObject, word: string | null, needs: ThinkingNeeds): Thinking {
  const handler = OWN.get(stringIn(own, 'type') ?? '');
  return handler === undefined
    ? needs.losses.refuse('thinking.type', 'it does not know this way of thinking')
    : handler(own, word, needs);
}

function adaptiveThinking(own: JsonObject, word: string | null, needs: ThinkingNeeds): Thinking {
  const { model } = needs;
  if (model.adaptive)
    return { thinking: own, effort: word === null ? null : effortFor(word, needs), maxTokens: needs.maxTokens };
  if (model.budget) needs.losses.drop('thinking.type');
  return byBudget(BUDGETS[word ?? 'high'] ?? MIN_BUDGET, 'thinking', needs, own);
}

function enabledThinking(own: JsonObject, word: string | null, needs: ThinkingNeeds): Thinking {
  const budget = statedAmount(own, 'budget_tokens') ?? MIN_BUDGET;
  if (needs.model.budget || !needs.model.adaptive) return byBudget(budget, 'thinking', needs, own);
  needs.losses.drop('thinking.budget_tokens');
  const { budget_tokens: _refused, ...rest } = own;
  const effort = effortFor(word ?? wordFor(budget), needs);
  return { thinking: { ...rest, type: 'adaptive' }, effort, maxTokens: needs.maxTokens };
}

/** The smallest word whose budget is enough. */
function wordFor(budget: number): string {
  return WORDS.find((word) => (BUDGETS[word] ?? 0) >= budget) ?? 'max';
}

/** As little thought as the model allows. */
function leastThinking(word: string | null, field: string, { model, losses, maxTokens }: ThinkingNeeds): Thinking {
  const refusesMore = word === 'xhigh' || word === 'max';
  const effort = word === null || model.efforts.length === 0 ? null : effortWithin(refusesMore ? 'high' : word, model);
  const silent = !model.budget && !model.adaptive;
  if (silent || (field === 'reasoning_effort' && !model.thinksByDefault)) return { thinking: null, effort, maxTokens };
  if (model.leastThinking === 'disabled') return { thinking: { type: 'disabled' }, effort, maxTokens };
  losses.drop(field);
  if (model.leastThinking === 'between_tools') return { thinking: { type: 'between_tools' }, effort, maxTokens };
  return { thinking: null, effort: effort ?? 'low', maxTokens };
}

/** The model's nearest level that is not above the word; a lower one than asked for is a loss. */
function effortFor(word: string, { model, losses }: ThinkingNeeds): Effort | null {
  const effort = effortWithin(word, model);
  if (effort !== word && word !== 'minimal' && word !== 'none') losses.drop('reasoning_effort');
  return effort;
}

function effortWithin(word: string, model: ClaudeModel): Effort | null {
  const rank = WORDS.indexOf(word);
  return model.efforts.findLast((effort) => WORDS.indexOf(effort) <= rank) ?? model.efforts[0] ?? null;
}

function byBudget(budget: number, field: string, needs: ThinkingNeeds, own: JsonObject = {}): Thinking {
  const { model, losses } = needs;
  // A fourth of the bound is left for the answer itself.
  const maxTokens = needs.maxIsGiven ? needs.maxTokens : Math.min(needs.maxTokens + budget, model.maxOutput);
  const room = field === 'thinking' ? maxTokens - 1 : Math.floor((maxTokens * 3) / 4);
  const fitting = Math.min(Math.max(budget, MIN_BUDGET), room);
  if (!model.budget || needs.budgetBarred || fitting < MIN_BUDGET) {
    losses.drop(field);
    return { thinking: null, effort: null, maxTokens: needs.maxTokens };
  }
  const display = own['display'] === undefined ? {} : { display: own['display'] };
  if (field === 'thinking' && fitting < budget) losses.drop('thinking.budget_tokens');
  return { thinking: { type: 'enabled', budget_tokens: fitting, ...display }, effort: null, maxTokens };
}
