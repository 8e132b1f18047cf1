import type { JsonObject } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { inCamelCase } from './camel-case.js';
import { writeMessages } from './conversation.js';
import { writeGenerationConfig } from './generation-config.js';
import { showsThoughts } from './thinking.js';
import { writeTools } from './tools.js';

export interface ChatRequest {
  readonly body: JsonObject;
  readonly showsThoughts: boolean;
}

/** Model and stream stand in the path. */
const READ: ReadonlySet<string> = new Set(
  'model stream contents systemInstruction tools toolConfig generationConfig'.split(' '),
);

/** A `generateContent` request as one of chat completions. */
export function writeRequest(given: JsonObject, context: TranslationContext): ChatRequest {
  const request = inCamelCase(given);
  const { losses, model, stream, extended } = context;
  if (request['cachedContent']) losses.refuse('cachedContent', 'what Google keeps cannot be read elsewhere');
  const body = {
    model,
    messages: writeMessages(request, context),
    ...writeTools(request, context),
    ...writeGenerationConfig(request, context),
    ...(stream ? { stream } : {}),
    ...(stream && !extended ? { stream_options: { include_usage: true } } : {}),
  };
  for (const [name, value] of Object.entries(request)) {
    const isNeutral = value === null || value === undefined || value === false || value === '';
    if (!READ.has(name) && !isNeutral) losses.drop(name);
  }
  return { body, showsThoughts: extended || showsThoughts(request) };
}
