import { countTokens, pieces } from '../codec/word-pieces.js';
import { type JsonObject, objectOr, textOr } from './json.js';
import type { Behaviour } from './models.js';
import { schemaSample } from './schema-sample.js';

/** A tool as both chat and Responses describe it, in one form. */
export interface Tool {
  readonly name: string;
  readonly parameters: JsonObject;
}

/** What a generating endpoint was asked for, whatever its wire format. */
export interface Prompt {
  /** Text of the last user message. */
  readonly last: string;
  /** Text of the tool result that ends the conversation; null when it ends with something else. */
  readonly toolResult: string | null;
  readonly inputTokens: number;
  readonly maxTokens: number | null;
  readonly tools: readonly Tool[];
  /** `auto`, `none`, `required`, or the name of the one tool to call. */
  readonly toolChoice: string;
  readonly parallelTools: boolean;
  /** JSON Schema of the answer; null for free text. */
  readonly schema: JsonObject | null;
}

export interface ToolCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** The content of an answer, before it takes a wire format. */
export interface Reply {
  /** Joined they are the text; each is sent as one delta. */
  readonly pieces: readonly string[];
  readonly toolCalls: readonly ToolCall[];
  readonly outputTokens: number;
  readonly finish: 'stop' | 'length' | 'tool_calls';
}

const USEFUL =
  'This is the mock provider that comes with Tollgate. It answers at once, without an account or a key, so that keys, ' +
  'limits, routes and prices can be tried before any real provider is connected.';

/** Decides what to say: tool calls where they are asked for, else text. Deterministic. */
export function reply(prompt: Prompt, behaviour: Behaviour): Reply {
  const toolCalls = callsFor(prompt);
  if (toolCalls.length > 0) {
    const outputTokens = toolCalls.reduce((sum, call) => sum + countTokens(call.name) + countTokens(call.arguments), 0);
    return { pieces: [], toolCalls, outputTokens, finish: 'tool_calls' };
  }
  const said =
    typeof behaviour.text === 'object' ? filler(behaviour.text) : pieces(bounded(textFor(prompt, behaviour), prompt));
  const cut = prompt.maxTokens !== null && prompt.maxTokens < said.length;
  const kept = cut ? said.slice(0, prompt.maxTokens ?? 0) : said;
  const chunked = typeof behaviour.text === 'object' && 'chunks' in behaviour.text;
  const outputTokens = chunked ? kept.length : countTokens(kept.join(''));
  return { pieces: kept, toolCalls: [], outputTokens, finish: cut ? 'length' : 'stop' };
}

function textFor(prompt: Prompt, behaviour: Behaviour): string {
  if (prompt.schema !== null) return JSON.stringify(schemaSample(prompt.schema));
  if (prompt.toolResult !== null) return `The tool answered: ${prompt.toolResult}`;
  return behaviour.text === 'echo' ? prompt.last : USEFUL;
}

/** Drops what `maxTokens` cannot reach, so that a long text is counted token by token up to there. */
function bounded(text: string, prompt: Prompt): string {
  return prompt.maxTokens === null ? text : text.slice(0, prompt.maxTokens * 32 + 32);
}

function filler(size: { bytes: number } | { chunks: number }): string[] {
  if ('chunks' in size) return Array.from({ length: size.chunks }, (_, index) => (index === 0 ? 'word' : ' word'));
  const block = 'All work and no play makes a dull gateway, said the mock. '.repeat(18).slice(0, 1023).concat('\n');
  return Array.from({ length: size.bytes / 1024 }, () => block);
}

/** A tool is called when `tool_choice` says so or when the prompt names it; all that are named are called in parallel. */
function callsFor(prompt: Prompt): ToolCall[] {
  if (prompt.tools.length === 0 || prompt.toolChoice === 'none' || prompt.toolResult !== null) return [];
  const forced = prompt.tools.filter((tool) => tool.name === prompt.toolChoice);
  let chosen = forced.length > 0 ? forced : prompt.tools.filter((tool) => names(prompt.last, tool.name));
  if (chosen.length === 0 && prompt.toolChoice === 'required') chosen = prompt.tools.slice(0, 1);
  if (chosen.length === 1 && forced.length === 0 && /\b(parallel|both|twice)\b/i.test(prompt.last)) {
    chosen = [...chosen, ...chosen];
  }
  if (!prompt.parallelTools) chosen = chosen.slice(0, 1);
  return chosen.map((tool) => ({ name: tool.name, arguments: JSON.stringify(schemaSample(objectParameters(tool))) }));
}

function objectParameters(tool: Tool): JsonObject {
  return textOr(tool.parameters['type']) === 'object' ? tool.parameters : { type: 'object', ...tool.parameters };
}

/** True when the text has the tool's name or a longer word of it: `get_weather` is named by "weather". */
function names(text: string, tool: string): boolean {
  const lower = text.slice(0, 10_000).toLowerCase();
  return tool
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .some((word) => word.length >= 4 && lower.includes(word));
}

/** Flattens `content`, which is a text or a list of parts with `text`, to a text. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => textOr(objectOr(part)['text'])).join('');
}
