import type { Wire } from './endpoint.js';
import type { JsonPlaces, OutputCapField, OutputCapPlace, RequestFacts } from './request-facts.js';

/** A bound on output tokens that a request must have. */
export interface OutputCap {
  /** The name that the provider knows on chat completions; the other endpoints have one name each. */
  readonly field: OutputCapField;
  /** Tokens of one choice. */
  readonly tokens: number;
}

const FIELDS: Readonly<Partial<Record<Wire, readonly OutputCapField[]>>> = {
  'openai-chat': ['max_tokens', 'max_completion_tokens'],
  'openai-completions': ['max_tokens'],
  'openai-responses': ['max_output_tokens'],
  'anthropic-messages': ['max_tokens'],
  'gemini-generate': ['generationConfig.maxOutputTokens', 'generation_config.max_output_tokens'],
  'bedrock-converse': ['inferenceConfig.maxTokens'],
};

/** The names under which requests to this endpoint bound their output; none where nothing is generated token by token. */
export function outputCapFields(wire: Wire): readonly OutputCapField[] {
  return FIELDS[wire] ?? [];
}

/** Where the bound goes: `start` = `end` inserts a member behind the opening brace. */
export interface CapEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The edits that make a request bounded by `cap`: larger bounds are lowered, one that bounds nothing is replaced, and where
 * there is none at all it is put in. None for endpoints without a bound. Two names at once are never made out of one:
 * OpenAI refuses that.
 */
export function capEdits(facts: RequestFacts, cap: OutputCap): readonly CapEdit[] {
  const fields = outputCapFields(facts.wire);
  const field = fields.includes(cap.field) ? cap.field : fields[0];
  if (facts.json === null || field === undefined) return [];
  const { outputCaps } = facts.json;
  const text = String(cap.tokens);
  const bounds = outputCaps.filter((place) => place.tokens !== null);
  if (bounds.length > 0) return bounds.filter((place) => (place.tokens ?? 0) > cap.tokens).map(replaceBy(text));
  const empty = outputCaps.find((place) => place.field === field) ?? outputCaps[0];
  if (empty !== undefined) return [replaceBy(text)(empty)];
  // The top level is never empty here: it has at least the model, or in Google's and AWS' dialects the contents.
  return [newBound(facts.json, field, text)];
}

function newBound({ root, settings }: JsonPlaces, field: OutputCapField, text: string): CapEdit {
  const [outer = '', inner] = field.split('.');
  if (inner === undefined) return insert(root + 1, `"${outer}":${text},`);
  if (settings === null) return insert(root + 1, `"${outer}":{"${inner}":${text}},`);
  return insert(settings.start + 1, `"${inner}":${text}${settings.empty ? '' : ','}`);
}

function insert(at: number, text: string): CapEdit {
  return { start: at, end: at, text };
}

function replaceBy(text: string): (place: OutputCapPlace) => CapEdit {
  return ({ start, end }) => ({ start, end, text });
}
