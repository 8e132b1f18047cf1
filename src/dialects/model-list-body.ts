import { amountIn, isObject, type JsonObject, listIn, objectIn, stringIn } from './json-value.js';
import type { ModelFacts } from './model-facts.js';
import { isModelName } from './model-name.js';

/** Vendors' names for the same things, first one wins. */
const TITLES = ['display_name', 'displayName'];
const WINDOWS = [
  'context_window',
  'context_length',
  'max_input_tokens',
  'inputTokenLimit',
  'max_model_len',
  'max_context_length',
];
const OUTPUTS = ['max_output_tokens', 'max_completion_tokens', 'outputTokenLimit'];
/** Google's names are paths. */
const GOOGLE_PREFIX = 'models/';

/**
 * A provider's list of its models: OpenAI's and Anthropic's `{data: [{id}]}`, Google's `{models: [{name}]}`, or the bare list of
 * Together. Entries that name nothing a request could ask for are left out; so is everything behind the first `most`.
 */
export function readModelList(body: unknown, most: number): readonly ModelFacts[] {
  const google = listIn(body, 'models');
  const entries = Array.isArray(body) ? body : google.length > 0 ? google : listIn(body, 'data');
  const found = new Map<string, ModelFacts>();
  for (const entry of entries) {
    const facts = isObject(entry) ? factsOf(entry) : null;
    if (facts !== null && found.size < most) found.set(facts.id, facts);
  }
  return [...found.values()];
}

function factsOf(entry: JsonObject): ModelFacts | null {
  const name = stringIn(entry, 'name') ?? '';
  const id = stringIn(entry, 'id') ?? (name.startsWith(GOOGLE_PREFIX) ? name.slice(GOOGLE_PREFIX.length) : name);
  if (!isModelName(id)) return null;
  const title = first(TITLES, (key) => stringIn(entry, key));
  return {
    id,
    title: title?.slice(0, 200) ?? null,
    contextWindow: first(WINDOWS, (key) => tokensIn(entry, key)),
    // OpenRouter tells what its first choice of a provider takes.
    maxOutput: first(OUTPUTS, (key) => tokensIn(entry, key) ?? tokensIn(objectIn(entry, 'top_provider'), key)),
  };
}

function first<T>(keys: readonly string[], read: (key: string) => T | null): T | null {
  for (const key of keys) {
    const value = read(key);
    if (value !== null) return value;
  }
  return null;
}

function tokensIn(from: JsonObject | null, key: string): number | null {
  const amount = amountIn(from, key);
  return amount !== null && Number.isSafeInteger(amount) && amount > 0 ? amount : null;
}
