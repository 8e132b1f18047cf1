import { type JsonObject, objectIn, stringIn } from '../../json-value.js';
import { isStrictSchema } from '../messages-to-chat/strict-schema.js';
import type { TranslationContext } from '../translation.js';
import { toJsonSchema } from './json-schema.js';
import { writeThinking } from './thinking.js';

const RENAMED: ReadonlyMap<string, string> = new Map([
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['stopSequences', 'stop'],
  ['seed', 'seed'],
  ['presencePenalty', 'presence_penalty'],
  ['frequencyPenalty', 'frequency_penalty'],
  ['candidateCount', 'n'],
  ['responseLogprobs', 'logprobs'],
  ['logprobs', 'top_logprobs'],
]);
/** Read by a step of their own. */
const READ: ReadonlySet<string> = new Set([
  'maxOutputTokens',
  'topK',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseModalities',
  'thinkingConfig',
]);
/** What they ask for is not a text. */
const REFUSED: ReadonlySet<string> = new Set(['speechConfig', 'imageConfig']);

/** `generationConfig` as members of a chat request. */
export function writeGenerationConfig(request: JsonObject, context: TranslationContext): JsonObject {
  const config = objectIn(request, 'generationConfig') ?? {};
  const taken: [string, unknown][] = [];
  for (const [name, value] of Object.entries(config)) {
    if (value === null || value === undefined || READ.has(name)) continue;
    const own = RENAMED.get(name);
    if (own !== undefined) taken.push([own, value]);
    else if (REFUSED.has(name)) context.losses.refuse(`generationConfig.${name}`, 'it answers as text only');
    else if (value !== false) context.losses.drop(`generationConfig.${name}`);
  }
  return {
    ...Object.fromEntries(taken),
    ...topK(config, context),
    ...outputBound(config, context),
    ...responseFormat(config, context),
    ...writeThinking(config, context),
  };
}

function topK(config: JsonObject, { extended, losses }: TranslationContext): JsonObject {
  const value = config['topK'];
  if (value === undefined || value === null) return {};
  if (extended) return { top_k: value };
  losses.drop('generationConfig.topK');
  return {};
}

function outputBound(config: JsonObject, { outputCap, outputCapField }: TranslationContext): JsonObject {
  const bounds = [config['maxOutputTokens'], outputCap].filter((bound) => typeof bound === 'number');
  return bounds.length === 0 ? {} : { [outputCapField]: Math.min(...bounds) };
}

function responseFormat(config: JsonObject, { losses }: TranslationContext): JsonObject {
  const modalities = Array.isArray(config['responseModalities']) ? config['responseModalities'] : [];
  if (modalities.some((each) => String(each).toUpperCase() !== 'TEXT'))
    losses.refuse('generationConfig.responseModalities', 'it answers as text only');
  const type = stringIn(config, 'responseMimeType') ?? 'text/plain';
  if (type === 'text/plain') return {};
  if (type !== 'application/json')
    return losses.refuse('generationConfig.responseMimeType', `"${type.slice(0, 40)}" is not understood`);
  const own = objectIn(config, 'responseSchema');
  const schema = objectIn(config, 'responseJsonSchema') ?? (own === null ? null : toJsonSchema(own));
  if (schema === null) return { response_format: { type: 'json_object' } };
  const named = { name: 'answer', schema, strict: isStrictSchema(schema) };
  return { response_format: { type: 'json_schema', json_schema: named } };
}
