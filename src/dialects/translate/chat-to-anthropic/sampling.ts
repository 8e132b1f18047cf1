import type { ClaudeModel } from '../../anthropic/models.js';
import type { JsonObject } from '../../json-value.js';
import type { Losses } from '../losses.js';

interface SamplingRules {
  readonly model: ClaudeModel;
  readonly thinking: boolean;
  readonly losses: Losses;
}

/** Below this `top_p` is refused while the model thinks. */
const LEAST_TOP_P_THINKING = 0.95;

/**
 * `temperature`, `top_p` and `top_k` as far as they are taken: newer models refuse them, thinking restricts them, and
 * `temperature` excludes `top_p`. Their defaults are no loss.
 */
export function convertSampling(request: JsonObject, rules: SamplingRules): JsonObject {
  const temperature = temperatureFor(request['temperature'], rules);
  const topP = topPFor(request['top_p'], temperature !== null, rules);
  const topK = topKFor(request['top_k'], rules);
  return {
    ...(temperature === null ? {} : { temperature }),
    ...(topP === null ? {} : { top_p: topP }),
    ...(topK === null ? {} : { top_k: topK }),
  };
}

/** OpenAI's reaches to 2, Anthropic's to 1; both default to 1. */
function temperatureFor(given: unknown, { model, thinking, losses }: SamplingRules): number | null {
  if (typeof given !== 'number' || given === 1) return null;
  if (!model.sampling || thinking) {
    losses.drop('temperature');
    return null;
  }
  if (given < 0 || given > 1) losses.drop('temperature');
  return Math.min(Math.max(given, 0), 1);
}

function topPFor(given: unknown, hasTemperature: boolean, { model, thinking, losses }: SamplingRules): number | null {
  if (typeof given !== 'number' || given === 1) return null;
  if (model.sampling && !hasTemperature && (!thinking || given >= LEAST_TOP_P_THINKING)) return given;
  losses.drop('top_p');
  return null;
}

function topKFor(given: unknown, { model, thinking, losses }: SamplingRules): number | null {
  if (typeof given !== 'number') return null;
  if (model.sampling && !thinking) return given;
  losses.drop('top_k');
  return null;
}
