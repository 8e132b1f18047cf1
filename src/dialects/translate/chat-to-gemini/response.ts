import { readFinishReason } from '../../gemini/finish-reason.js';
import { GeminiUsageKeeper } from '../../gemini/usage.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { chatUsage } from '../../stated-usage.js';
import { REASONING } from '../hub.js';
import type { TranslationContext } from '../translation.js';
import { writeAnnotations } from './annotations.js';
import { type CallIds, Choice, extra, image } from './choice.js';
import { finishOf, nativeFinish } from './finish.js';
import { writeLogprobs } from './logprobs.js';
import type { Piece } from './pieces.js';

/** OpenAI refuses ids of calls above 40 characters; a conversation may go on there. */
const ID_LENGTH = 30;

/** Ids of calls, which Google's need not have: the same for the same answer, different in every other. */
export function callIds(context: TranslationContext): CallIds {
  const base = context.id.replace(/[^A-Za-z0-9]/g, '').slice(0, ID_LENGTH);
  let count = 0;
  return {
    next() {
      count += 1;
      return `call_${base}_${count}`;
    },
  };
}

/** A whole answer of `generateContent` as a chat completion. */
export function writeAnswer(body: JsonObject, context: TranslationContext): JsonObject {
  const ids = callIds(context);
  const choices = listIn(body, 'candidates')
    .filter(isObject)
    .map((candidate) => writeChoice(candidate, ids));
  const blocked = choices.length === 0 ? blockedChoice(body) : null;
  const keeper = new GeminiUsageKeeper();
  keeper.take(objectIn(body, 'usageMetadata'));
  return {
    id: `chatcmpl-${context.id}`,
    object: 'chat.completion',
    created: context.created,
    model: stringIn(body, 'modelVersion') || context.model,
    choices: blocked === null ? choices : [blocked],
    ...(keeper.usage === null ? {} : { usage: chatUsage(keeper.usage) }),
  };
}

function writeChoice(candidate: JsonObject, ids: CallIds): JsonObject {
  const index = typeof candidate['index'] === 'number' ? candidate['index'] : 0;
  const choice = new Choice(index, ids);
  const pieces = [...choice.reader.read(candidate), ...choice.reader.end()];
  const calls = pieces.filter((piece) => piece.kind === 'call').map((piece) => choice.call(piece));
  const reason = readFinishReason(candidate['finishReason']) ?? 'STOP';
  const text = textOf(pieces, 'text');
  const annotations = writeAnnotations(candidate, text);
  return {
    index,
    message: {
      role: 'assistant',
      content: text === '' && calls.length > 0 ? null : text,
      refusal: null,
      ...thoughtsOf(pieces),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      ...mediaOf(pieces, ids),
      ...(annotations.length > 0 ? { annotations } : {}),
      ...messageSignature(pieces),
    },
    logprobs: writeLogprobs(candidate),
    finish_reason: finishOf(reason, calls.length > 0),
    ...nativeFinish(reason),
  };
}

/** A prompt that Google did not let through has no candidate. */
export function blockedChoice(body: JsonObject): JsonObject | null {
  const feedback = objectIn(body, 'promptFeedback');
  const reason = feedback?.['blockReason'];
  if (reason === undefined || reason === null) return null;
  const refusal = stringIn(feedback, 'blockReasonMessage');
  const message = { role: 'assistant', content: null, refusal };
  const native = typeof reason === 'string' ? nativeFinish(reason) : {};
  return { index: 0, message, logprobs: null, finish_reason: 'content_filter', ...native };
}

function textOf(pieces: readonly Piece[], kind: 'text' | 'thought'): string {
  return pieces.map((piece) => (piece.kind === kind ? piece.text : '')).join('');
}

function thoughtsOf(pieces: readonly Piece[]): JsonObject {
  const thoughts = textOf(pieces, 'thought');
  return thoughts === '' ? {} : { [REASONING]: thoughts };
}

/** The last signature of a text; those of calls stand with the calls. */
function messageSignature(pieces: readonly Piece[]): JsonObject {
  const last = pieces.findLast(
    (piece) => (piece.kind === 'text' || piece.kind === 'thought') && piece.signature !== null,
  );
  return last === undefined || !('signature' in last) ? {} : extra(last.signature);
}

/** Pictures as OpenRouter and LiteLLM give them, sound as OpenAI does. */
function mediaOf(pieces: readonly Piece[], ids: CallIds): JsonObject {
  const images = pieces.filter((piece) => piece.kind === 'image').map(({ url }) => image(url));
  const sound = pieces.filter((piece) => piece.kind === 'audio').map(({ data }) => Buffer.from(data, 'base64'));
  const audio = { id: ids.next(), data: Buffer.concat(sound).toString('base64'), expires_at: 0, transcript: '' };
  return { ...(images.length > 0 ? { images } : {}), ...(sound.length > 0 ? { audio } : {}) };
}
