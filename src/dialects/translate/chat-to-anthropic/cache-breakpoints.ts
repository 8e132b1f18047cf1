import { isObject, type JsonObject, listIn } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import type { Losses } from '../losses.js';

/** More are refused. */
const MOST = 4;

export interface Cacheable {
  readonly tools: readonly JsonObject[];
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
}

/**
 * Takes away breakpoints above Anthropic's bound: first the oldest in messages, since the latest ones cover them, then those of
 * the system and the tools. Losing one costs money, never an answer.
 */
export function withinBreakpoints(given: Cacheable, losses: Losses): Cacheable {
  const blocks = given.messages.flatMap((message) => listIn(message, 'content').filter(isObject));
  let surplus = [...given.tools, ...given.system, ...blocks].filter(hasBreakpoint).length - MOST;
  if (surplus <= 0) return given;
  losses.drop(CACHE_CONTROL);
  const strip = (block: JsonObject): JsonObject => {
    if (surplus <= 0 || !hasBreakpoint(block)) return block;
    surplus -= 1;
    const { [CACHE_CONTROL]: _surplus, ...rest } = block;
    return rest;
  };
  const messages = given.messages.map((message) => ({
    ...message,
    content: listIn(message, 'content').filter(isObject).map(strip),
  }));
  return { messages, system: given.system.map(strip), tools: given.tools.map(strip) };
}

function hasBreakpoint(block: JsonObject): boolean {
  return isObject(block[CACHE_CONTROL]);
}
