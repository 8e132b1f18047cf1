import { isObject, type JsonObject, listIn, objectIn } from '../../json-value.js';
import { type ChatChoice, type ChatEvent, readChatBody } from '../../openai-chat/chunk.js';
import { type Finish, readFinish } from '../../openai-chat/finish.js';
import { normaliseUsage } from '../../openai-usage.js';
import { geminiUsage } from '../../stated-usage.js';
import type { TranslationContext } from '../translation.js';
import { callPart, citations, imageParts, logprobs, signatureOf, textPart } from './pieces.js';

/** What the answer to a request must know of it. */
export interface Reply {
  readonly context: TranslationContext;
  readonly showsThoughts: boolean;
}

const REASONS: Readonly<Record<Finish, string>> = {
  stop: 'STOP',
  tool_calls: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
  error: 'OTHER',
};

/** Google's reason, and why where it needs words. */
export function finishMembers(word: string | null, malformed: boolean): JsonObject {
  if (!malformed) return { finishReason: REASONS[readFinish(word, false)] };
  return { finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage: 'The arguments of a call are no JSON object.' };
}

/** What every answer and chunk says of itself. */
export function answerHead({ context }: Reply, model: string): JsonObject {
  return { modelVersion: model === '' ? context.model : model, responseId: context.id };
}

export function usageMembers(usage: JsonObject | null): JsonObject {
  const normal = usage === null ? null : normaliseUsage(usage);
  return normal === null ? {} : { usageMetadata: geminiUsage(normal) };
}

/** A whole chat completion as an answer of `generateContent`. */
export function writeAnswer(body: JsonObject, reply: Reply): JsonObject {
  const event: ChatEvent = readChatBody(body);
  const stated = listIn(body, 'choices').filter(isObject);
  const candidates = event.choices.map((choice, at) => writeCandidate(choice, stated[at], reply));
  return { candidates, ...usageMembers(event.usage), ...answerHead(reply, event.model) };
}

function writeCandidate(choice: ChatChoice, stated: JsonObject | undefined, { showsThoughts }: Reply): JsonObject {
  const message = objectIn(stated, 'message');
  const hasThoughts = choice.parts.some(({ kind }) => kind === 'reasoning');
  let malformed = false;
  const parts = choice.parts.flatMap((part) => {
    const written = part.kind === 'call' ? callPart(part) : textPart(part, showsThoughts, hasThoughts);
    malformed ||= part.kind === 'call' && written === null;
    return written ?? [];
  });
  parts.push(...imageParts(message));
  const extra = signatureOf(choice.extra);
  if (Object.keys(extra).length > 0) parts.push({ text: '', ...extra });
  return {
    // Google's clients do not keep an answer without parts in their history.
    content: { role: 'model', parts: parts.length > 0 ? parts : [{ text: '' }] },
    ...finishMembers(choice.finish, malformed),
    ...citations(message),
    ...logprobs(stated),
    index: choice.index,
  };
}
