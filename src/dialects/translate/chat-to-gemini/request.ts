import { modelVersion } from '../../gemini/model-version.js';
import { isObject, type JsonObject, listIn, objectIn } from '../../json-value.js';
import type { Losses } from '../losses.js';
import type { TranslationContext } from '../translation.js';
import { writeConversation } from './conversation.js';
import { camelCased, writeGenerationConfig } from './generation-config.js';
import type { Scope } from './scope.js';
import { writeTools } from './tools.js';

export interface GeminiRequest {
  readonly body: JsonObject;
  /** The answer may name sources of its text. */
  readonly searches: boolean;
}

/** Read by one of the steps, or said elsewhere (model and stream are in the path). */
const READ: ReadonlySet<string> = new Set(
  (
    'model messages stream stream_options tools tool_choice functions function_call parallel_tool_calls web_search_options ' +
    'temperature top_p top_k presence_penalty frequency_penalty max_tokens max_completion_tokens stop n seed logprobs ' +
    'response_format modalities audio image_config reasoning_effort thinking extra_body google ' +
    'safety_settings safetySettings cached_content cachedContent'
  ).split(' '),
);

/** What changes nothing when it has this value. */
const NEUTRAL: ReadonlyMap<string, (value: unknown) => boolean> = new Map<string, (value: unknown) => boolean>([
  ['store', (value) => value === false],
  ['service_tier', (value) => value === 'auto' || value === 'default'],
  ['logit_bias', (value) => isObject(value) && Object.keys(value).length === 0],
  ['metadata', (value) => isObject(value) && Object.keys(value).length === 0],
  // Without `logprobs` it asks for nothing.
  ['top_logprobs', () => true],
  ['verbosity', (value) => value === 'medium'],
]);

/** A chat request as `generateContent`. */
export function writeRequest(request: JsonObject, context: TranslationContext): GeminiRequest {
  const { losses, model } = context;
  const google = googleMembers(request, losses);
  const scope: Scope = { losses, model, version: modelVersion(model) };
  const { body: tools, searches } = writeTools(request, scope);
  const config = writeGenerationConfig(request, scope, context);
  const generationConfig =
    google.thinkingConfig === null ? config : { ...config, thinkingConfig: google.thinkingConfig };
  dropRest(request, losses);
  const body = {
    ...writeConversation(listIn(request, 'messages'), scope),
    ...tools,
    ...(Object.keys(generationConfig).length > 0 ? { generationConfig } : {}),
    ...(google.safetySettings === null ? {} : { safetySettings: google.safetySettings }),
    ...(google.cachedContent === null ? {} : { cachedContent: google.cachedContent }),
  };
  return { body, searches };
}

interface GoogleMembers {
  readonly thinkingConfig: JsonObject | null;
  readonly safetySettings: readonly unknown[] | null;
  readonly cachedContent: string | null;
}

/**
 * What only Google has, where its own OpenAI endpoint and other gateways take it: at the top, or in `extra_body.google`.
 * https://ai.google.dev/gemini-api/docs/openai#extra-body
 */
function googleMembers(request: JsonObject, losses: Losses): GoogleMembers {
  const extra = objectIn(request, 'extra_body');
  const members = camelCased({ ...objectIn(extra, 'google'), ...objectIn(request, 'google') });
  for (const name of Object.keys(extra ?? {})) if (name !== 'google') losses.drop(`extra_body.${name}`);
  for (const name of Object.keys(members)) if (!GOOGLE.has(name)) losses.drop(`extra_body.google.${name}`);
  const thinking = members['thinkingConfig'];
  const safety = members['safetySettings'] ?? request['safety_settings'] ?? request['safetySettings'];
  const cached = members['cachedContent'] ?? request['cached_content'] ?? request['cachedContent'];
  return {
    thinkingConfig: isObject(thinking) ? thinking : null,
    safetySettings: Array.isArray(safety) ? safety : null,
    cachedContent: typeof cached === 'string' && cached !== '' ? cached : null,
  };
}

const GOOGLE: ReadonlySet<string> = new Set(['thinkingConfig', 'safetySettings', 'cachedContent']);

function dropRest(request: JsonObject, losses: Losses): void {
  for (const [name, value] of Object.entries(request)) {
    if (value === null || value === undefined || READ.has(name) || NEUTRAL.get(name)?.(value)) continue;
    losses.drop(name);
  }
}
