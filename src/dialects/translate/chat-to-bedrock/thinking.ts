import type { ClaudeModel, Effort } from '../../anthropic/models.js';
import type { BedrockModel } from '../../bedrock/model.js';
import { amountIn, type JsonObject, objectIn, stringIn } from '../../json-value.js';
import type { Losses } from '../losses.js';

export interface ThinkingParts {
  readonly model: BedrockModel;
  /** Bound of the output, thoughts included; null = none was set. */
  readonly maxTokens: number | null;
  /** The model must call a tool, which Claude does not do while it thinks. */
  readonly forced: boolean;
  /** The request goes on with calls that came without their thoughts. */
  readonly thoughtsLost: boolean;
  readonly losses: Losses;
}

export interface ThinkingPlan {
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject;
  /** Sampling may not be changed. */
  readonly fixedSampling: boolean;
}

interface Wish {
  /** What the client called it, for warnings. */
  readonly field: 'thinking' | 'reasoning_effort';
  readonly kind: 'off' | 'on';
  readonly budget: number | null;
  readonly effort: string | null;
  /** Thoughts may be summarised or omitted: Anthropic's `display`. */
  readonly display: string | null;
}

const NOTHING: ThinkingPlan = { fields: {}, fixedSampling: false };
const LEAST_BUDGET = 1024;
/** Part of the bounded output that thoughts may take, so that something is left for the answer. */
const MOST_OF_OUTPUT = 0.8;
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ['minimal', 1024],
  ['low', 2048],
  ['medium', 4096],
  ['high', 8192],
  ['xhigh', 16_384],
  ['max', 32_768],
]);
const ORDER: readonly string[] = ['low', 'medium', 'high', 'xhigh', 'max'];

type Planner = (wish: Wish, parts: ThinkingParts) => ThinkingPlan;

const PLANNERS: Readonly<Record<BedrockModel['family'], Planner>> = {
  claude: (wish, parts) =>
    parts.model.claude === null ? lost(wish, parts.losses) : claude(wish, parts, parts.model.claude),
  'nova-2': novaTwo,
  'gpt-oss': gptOss,
  nova: (wish, { losses }) => lost(wish, losses),
  other: (wish, { losses }) => lost(wish, losses),
};

/** `thinking` and `reasoning_effort` in the model's own terms; both are wishes that a model may not know. */
export function planThinking(request: JsonObject, parts: ThinkingParts): ThinkingPlan {
  const wish = readWish(request);
  return wish === null ? unasked(parts) : PLANNERS[parts.model.family](wish, parts);
}

/** `thinking` says more than `reasoning_effort`, so it is believed first. */
function readWish(request: JsonObject): Wish | null {
  const thinking = objectIn(request, 'thinking');
  const effort = stringIn(request, 'reasoning_effort');
  if (thinking === null && effort === null) return null;
  const off = thinking === null ? effort === 'none' : thinking['type'] === 'disabled';
  return {
    field: thinking === null ? 'reasoning_effort' : 'thinking',
    kind: off ? 'off' : 'on',
    budget: thinking?.['type'] === 'enabled' ? amountIn(thinking, 'budget_tokens') : null,
    effort: effort === 'none' ? null : effort,
    display: stringIn(thinking, 'display'),
  };
}

/** Models that think by themselves must be told not to where a tool is forced. */
function unasked({ model, forced }: ThinkingParts): ThinkingPlan {
  const stop = forced && model.claude?.thinksByDefault === true && model.claude.leastThinking === 'disabled';
  return stop ? disabled() : NOTHING;
}

function disabled(): ThinkingPlan {
  return { fields: { thinking: { type: 'disabled' } }, fixedSampling: false };
}

function lost({ field, kind }: Wish, losses: Losses): ThinkingPlan {
  if (kind === 'on') losses.drop(field);
  return NOTHING;
}

function claude(wish: Wish, parts: ThinkingParts, model: ClaudeModel): ThinkingPlan {
  if (wish.kind === 'off') return claudeOff(wish, parts, model);
  if (parts.forced) {
    parts.losses.drop(wish.field);
    return unasked(parts);
  }
  const budgeted = model.budget && (wish.budget !== null || !model.adaptive);
  if (budgeted) return claudeBudget(wish, parts);
  return model.adaptive ? claudeAdaptive(wish, parts, model) : lost(wish, parts.losses);
}

function claudeOff(wish: Wish, { losses }: ThinkingParts, model: ClaudeModel): ThinkingPlan {
  if (!model.thinksByDefault) return NOTHING;
  if (model.leastThinking === 'disabled') return disabled();
  losses.drop(wish.field);
  return NOTHING;
}

function claudeAdaptive(wish: Wish, { losses }: ThinkingParts, model: ClaudeModel): ThinkingPlan {
  if (wish.budget !== null) losses.drop('thinking.budget_tokens');
  const effort = wish.effort === null ? null : nearest(wish.effort, model.efforts);
  const fields = {
    thinking: { type: 'adaptive', ...(wish.display === null ? {} : { display: wish.display }) },
    ...(effort === null ? {} : { output_config: { effort } }),
  };
  return { fields, fixedSampling: true };
}

/** The budget is a part of the output's bound. */
function claudeBudget(wish: Wish, { maxTokens, thoughtsLost, losses }: ThinkingParts): ThinkingPlan {
  const wished = wish.budget ?? BUDGETS.get(wish.effort ?? 'medium') ?? 4096;
  const most = maxTokens === null ? Number.POSITIVE_INFINITY : Math.floor(maxTokens * MOST_OF_OUTPUT);
  const budget = Math.min(Math.max(LEAST_BUDGET, wished), most);
  if (budget < LEAST_BUDGET || thoughtsLost) return lost(wish, losses);
  const display = wish.display === null ? {} : { display: wish.display };
  return { fields: { thinking: { type: 'enabled', budget_tokens: budget, ...display } }, fixedSampling: true };
}

/** The highest level that is not above the wish, else the lowest. */
function nearest(wish: string, known: readonly Effort[]): Effort | null {
  const level = ORDER.indexOf(wish);
  const below = known.filter((effort) => ORDER.indexOf(effort) <= level);
  return below.at(-1) ?? known[0] ?? null;
}

/** https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html */
function novaTwo(wish: Wish, { maxTokens, losses }: ThinkingParts): ThinkingPlan {
  if (wish.kind === 'off') return NOTHING;
  const level = levelOf(wish);
  // At the highest level Nova refuses any bound of the output, and a bound weighs more than an effort.
  const bounded = level === 'high' && maxTokens !== null;
  if (bounded || wish.budget !== null) losses.drop(wish.field);
  const maxReasoningEffort = bounded ? 'medium' : level;
  return {
    fields: { reasoningConfig: { type: 'enabled', maxReasoningEffort } },
    fixedSampling: maxReasoningEffort === 'high',
  };
}

function gptOss(wish: Wish, { losses }: ThinkingParts): ThinkingPlan {
  if (wish.kind === 'off') {
    losses.drop(wish.field);
    return NOTHING;
  }
  if (wish.budget !== null) losses.drop(wish.field);
  return { fields: { reasoning_effort: levelOf(wish) }, fixedSampling: false };
}

/** One of the three levels that most models have. */
function levelOf({ effort, budget }: Wish): Effort {
  if (effort !== null) return nearest(effort, ['low', 'medium', 'high']) ?? 'medium';
  if (budget === null) return 'medium';
  return budget <= 2048 ? 'low' : budget < 8192 ? 'medium' : 'high';
}
