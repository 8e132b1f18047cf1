import { isObject, type JsonObject, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { writeJsonSchema } from './json-schema.js';
import { writeOpenApiSchema } from './openapi-schema.js';
import { type Scope, VERSION_WITH_JSON_SCHEMA } from './scope.js';
import { writeThinking } from './thinking.js';

/** Members that only change their name. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['temperature', 'temperature'],
  ['top_p', 'topP'],
  ['top_k', 'topK'],
]);
const PENALTIES: ReadonlyMap<string, string> = new Map([
  ['presence_penalty', 'presencePenalty'],
  ['frequency_penalty', 'frequencyPenalty'],
]);
const MAX_SEED = 2 ** 31 - 1;

/** `generationConfig`; empty when the client set nothing. */
export function writeGenerationConfig(request: JsonObject, scope: Scope, context: TranslationContext): JsonObject {
  const thinkingConfig = writeThinking(request, scope);
  return {
    ...numbers(request, RENAMED, () => true),
    // Zero is what they are anyway, and some models refuse to hear of them.
    ...numbers(request, PENALTIES, (value) => value !== 0),
    ...outputBound(request, context.outputCap),
    ...stops(request),
    ...choices(request),
    ...seed(request, scope),
    ...logprobs(request),
    ...responseFormat(request, scope),
    ...modalities(request, scope),
    ...(thinkingConfig === null ? {} : { thinkingConfig }),
  };
}

function numbers(
  request: JsonObject,
  names: ReadonlyMap<string, string>,
  wanted: (value: unknown) => boolean,
): JsonObject {
  const found: [string, unknown][] = [];
  for (const [name, own] of names) {
    const value = request[name];
    if (value !== undefined && value !== null && wanted(value)) found.push([own, value]);
  }
  return Object.fromEntries(found);
}

/** Thoughts count in both dialects. The smallest bound stands. */
function outputBound(request: JsonObject, cap: number | null): JsonObject {
  const stated = [request['max_completion_tokens'] ?? request['max_tokens'], cap];
  const bounds = stated.filter((bound) => typeof bound === 'number' && bound > 0) as number[];
  return bounds.length === 0 ? {} : { maxOutputTokens: Math.min(...bounds) };
}

function stops(request: JsonObject): JsonObject {
  const { stop } = request;
  const sequences = (Array.isArray(stop) ? stop : [stop]).filter((each) => typeof each === 'string' && each !== '');
  return sequences.length === 0 ? {} : { stopSequences: sequences };
}

function choices(request: JsonObject): JsonObject {
  const { n } = request;
  return typeof n === 'number' && n !== 1 ? { candidateCount: n } : {};
}

/** 32 bits there. */
function seed(request: JsonObject, { losses }: Scope): JsonObject {
  const { seed: value } = request;
  if (typeof value !== 'number') return {};
  if (Math.abs(value) <= MAX_SEED) return { seed: value };
  losses.drop('seed');
  return {};
}

function logprobs(request: JsonObject): JsonObject {
  if (request['logprobs'] !== true) return {};
  const top = request['top_logprobs'];
  return { responseLogprobs: true, ...(typeof top === 'number' && top > 0 ? { logprobs: top } : {}) };
}

function responseFormat(request: JsonObject, scope: Scope): JsonObject {
  const format = objectIn(request, 'response_format');
  const type = stringIn(format, 'type') ?? 'text';
  if (type === 'text') return {};
  const responseMimeType = 'application/json';
  if (type === 'json_object') return { responseMimeType };
  if (type !== 'json_schema') return scope.losses.refuse('response_format.type', 'Gemini answers as text or JSON only');
  const named = objectIn(format, 'json_schema');
  const schema = objectIn(named, 'schema');
  if (schema === null) return { responseMimeType };
  const lost = (keyword: string): void => scope.losses.drop(`response_format.json_schema.schema.${keyword}`);
  const described = { ...describing(named), ...schema };
  if (scope.version >= VERSION_WITH_JSON_SCHEMA)
    return { responseMimeType, responseJsonSchema: writeJsonSchema(described, lost) };
  return { responseMimeType, responseSchema: writeOpenApiSchema(described, lost) };
}

function describing(named: JsonObject | null): JsonObject {
  const description = stringIn(named, 'description');
  return description ? { description } : {};
}

function modalities(request: JsonObject, { losses }: Scope): JsonObject {
  const stated = Array.isArray(request['modalities']) ? request['modalities'] : [];
  if (stated.includes('audio')) return speech(request, losses);
  const image = objectIn(request, 'image_config');
  const imageConfig = image === null ? {} : { imageConfig: camelCased(image) };
  return stated.includes('image') ? { responseModalities: ['TEXT', 'IMAGE'], ...imageConfig } : imageConfig;
}

/** Gemini speaks raw samples only, and nothing but speech. */
function speech(request: JsonObject, losses: Scope['losses']): JsonObject {
  const audio = objectIn(request, 'audio');
  if (stringIn(audio, 'format') !== 'pcm16') losses.refuse('audio.format', 'Gemini speaks pcm16 only');
  const voiceName = stringIn(audio, 'voice') ?? stringIn(objectIn(audio, 'voice'), 'id');
  const voice = voiceName === null ? {} : { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName } } } };
  return { responseModalities: ['AUDIO'], ...voice };
}

/** `aspect_ratio` → `aspectRatio`, one level deep. */
export function camelCased(from: JsonObject): JsonObject {
  const named = Object.entries(from).map(([name, value]) => [
    name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase()),
    isObject(value) ? camelCased(value) : value,
  ]);
  return Object.fromEntries(named);
}
