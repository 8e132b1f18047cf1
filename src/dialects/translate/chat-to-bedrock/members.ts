import { isObject, type JsonObject, listIn } from '../../json-value.js';
import type { Losses } from '../losses.js';
import { takeOwnMembers } from '../own-members.js';

/** Read by other parts of the translation. */
const KNOWN: ReadonlySet<string> = new Set(
  [
    'model messages stream stream_options max_tokens max_completion_tokens temperature top_p top_k stop',
    'tools tool_choice parallel_tool_calls reasoning_effort thinking response_format service_tier metadata',
    'anthropic_beta additionalModelRequestFields',
  ]
    .join(' ')
    .split(' '),
);

/** Converse's own, for clients that know that they talk to Bedrock. */
const OWN: ReadonlySet<string> = new Set(['guardrailConfig', 'performanceConfig', 'requestMetadata']);

/** Values that say nothing. */
const NEUTRAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  store: (value) => value === false,
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
  modalities: (value) => Array.isArray(value) && value.every((each) => each === 'text'),
  functions: (value) => Array.isArray(value) && value.length === 0,
};

/** Without these the answer would be another one. */
const NEEDED: Readonly<Record<string, string>> = {
  n: 'Bedrock gives one answer',
  modalities: 'Bedrock answers in text',
  functions: 'use tools',
  web_search_options: 'Bedrock does not search the web',
};

/** What of the request's top level goes to Bedrock as it is; the rest is read elsewhere, refused or told as lost. */
export function ownMembers(request: JsonObject, losses: Losses): JsonObject {
  const said = Object.entries(request).filter(([name, value]) => value !== null && NEUTRAL[name]?.(value) !== true);
  for (const [name] of said) if (Object.hasOwn(NEEDED, name)) losses.refuse(name, NEEDED[name] ?? '');
  return takeOwnMembers(Object.fromEntries(said), { known: KNOWN, own: OWN }, losses);
}

const TIERS: ReadonlySet<unknown> = new Set(['priority', 'flex', 'reserved']);

export function serviceTier(request: JsonObject, losses: Losses): JsonObject {
  const tier = request['service_tier'] ?? 'auto';
  if (TIERS.has(tier)) return { serviceTier: { type: tier } };
  if (tier !== 'auto' && tier !== 'default') losses.drop('service_tier');
  return {};
}

const LABEL = /^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/;

/** OpenAI's labels of a request, where Bedrock's logs can take them. */
export function requestMetadata(request: JsonObject, own: JsonObject, losses: Losses): JsonObject {
  const asked = isObject(request['metadata']) ? Object.entries(request['metadata']) : [];
  const taken = asked.filter(([name, value]) => LABEL.test(name) && typeof value === 'string' && LABEL.test(value));
  if (taken.length < asked.length) losses.drop('metadata');
  if (taken.length === 0 || own['requestMetadata'] !== undefined) return {};
  return { requestMetadata: Object.fromEntries(taken) };
}

/** `anthropic_beta` in the body, as Bedrock's own clients send it. */
export function askedBetas(request: JsonObject): readonly unknown[] {
  const one = request['anthropic_beta'];
  return typeof one === 'string' ? one.split(',').map((each) => each.trim()) : listIn(request, 'anthropic_beta');
}
