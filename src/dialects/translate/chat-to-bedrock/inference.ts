import type { BedrockModel } from '../../bedrock/model.js';
import { amountIn, type JsonObject, listIn, stringIn } from '../../json-value.js';
import type { Losses } from '../losses.js';
import type { TranslationContext } from '../translation.js';

export interface InferenceParts {
  readonly model: BedrockModel;
  readonly maxTokens: number | null;
  /** The model thinks: sampling may not be changed. */
  readonly fixedSampling: boolean;
  readonly losses: Losses;
}

export interface Inference {
  readonly inferenceConfig: JsonObject;
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject;
}

/** The client's bound of the output, or the gateway's when that is less; null = the model's own. */
export function outputBound(request: JsonObject, context: TranslationContext): number | null {
  const asked = amountIn(request, 'max_completion_tokens') ?? amountIn(request, 'max_tokens');
  if (asked === null) return context.outputCap;
  return Math.max(1, Math.floor(Math.min(asked, context.outputCap ?? asked)));
}

export function planInference(request: JsonObject, parts: InferenceParts): Inference {
  const { model, maxTokens, losses } = parts;
  const { temperature, topP } = sampling(request, parts);
  const stopSequences = stops(request, model, losses);
  return {
    inferenceConfig: {
      ...(maxTokens === null ? {} : { maxTokens }),
      ...(temperature === null ? {} : { temperature }),
      ...(topP === null ? {} : { topP }),
      ...(stopSequences.length === 0 ? {} : { stopSequences }),
    },
    fields: topK(request, parts),
  };
}

interface Sampling {
  readonly temperature: number | null;
  readonly topP: number | null;
}

function sampling(request: JsonObject, parts: InferenceParts): Sampling {
  const { model, losses } = parts;
  const asked = { temperature: amountIn(request, 'temperature'), topP: amountIn(request, 'top_p') };
  if (parts.fixedSampling || model.claude?.sampling === false) {
    // 1 is what the model uses anyway.
    if ((asked.temperature ?? 1) !== 1) losses.drop('temperature');
    if ((asked.topP ?? 1) !== 1) losses.drop('top_p');
    return { temperature: null, topP: null };
  }
  // OpenAI's scale goes to 2, Bedrock's to 1.
  if ((asked.temperature ?? 0) > 1) losses.drop('temperature');
  const temperature = asked.temperature === null ? null : Math.min(1, asked.temperature);
  return model.claude !== null && model.claude.version >= 4.1
    ? oneOf({ ...asked, temperature }, losses)
    : { ...asked, temperature };
}

/** Claude takes one of the two only. */
function oneOf({ temperature, topP }: Sampling, losses: Losses): Sampling {
  if (temperature === null || topP === null) return { temperature, topP };
  if (topP === 1) return { temperature, topP: null };
  if (temperature === 1) return { temperature: null, topP };
  losses.drop('top_p');
  return { temperature, topP: null };
}

function stops(request: JsonObject, model: BedrockModel, losses: Losses): readonly string[] {
  const one = stringIn(request, 'stop');
  const asked = (one === null ? listIn(request, 'stop') : [one]).filter((each) => typeof each === 'string');
  // Claude refuses sequences of white space alone.
  const taken = asked.filter((each) => each !== '' && (model.claude === null || each.trim() !== ''));
  if (taken.length < asked.length) losses.drop('stop');
  return taken;
}

function topK(request: JsonObject, { model, fixedSampling, losses }: InferenceParts): JsonObject {
  const asked = amountIn(request, 'top_k');
  if (asked === null) return {};
  const taken = fixedSampling || model.claude?.sampling === false ? undefined : TOP_K[model.family];
  if (taken !== undefined) return taken(asked);
  losses.drop('top_k');
  return {};
}

const TOP_K: Readonly<Partial<Record<BedrockModel['family'], (asked: number) => JsonObject>>> = {
  claude: (asked) => ({ top_k: asked }),
  nova: (asked) => ({ inferenceConfig: { topK: asked } }),
  'nova-2': (asked) => ({ inferenceConfig: { topK: asked } }),
};
