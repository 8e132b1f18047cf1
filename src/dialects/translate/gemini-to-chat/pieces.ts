import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../json-value.js';
import type { CallPart, ChatPart } from '../../openai-chat/chunk.js';

/** A call whose arguments have all come. Google's clients take objects only. */
export interface WholeCall {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
  readonly extra: JsonObject | null;
}

/** null: its arguments are no JSON object, which must not look like a call. */
export function callPart(call: WholeCall): JsonObject | null {
  const args = call.arguments.trim() === '' ? {} : parseJson(call.arguments);
  if (!isObject(args)) return null;
  const functionCall = { ...(call.id === '' ? {} : { id: call.id }), name: call.name, args };
  return { functionCall, ...signatureOf(call.extra) };
}

/** Everything but calls. */
export function textPart(
  part: Exclude<ChatPart, CallPart>,
  showsThoughts: boolean,
  hasThoughts: boolean,
): JsonObject | null {
  if (part.kind === 'reasoning') return showsThoughts ? { text: part.text, thought: true } : null;
  if (part.kind !== 'thinking-block') return { text: part.text };
  const thoughtSignature = stringIn(part.block, 'signature');
  // The text of a block has come before, unless it comes here only.
  const text = hasThoughts ? '' : (stringIn(part.block, 'thinking') ?? '');
  return showsThoughts && thoughtSignature ? { text, thought: true, thoughtSignature } : null;
}

export function signatureOf(extra: JsonObject | null): JsonObject {
  const thoughtSignature = stringIn(objectIn(extra, 'google'), 'thought_signature');
  return thoughtSignature ? { thoughtSignature } : {};
}

/** Pictures of a message or delta, where a provider paints. */
export function imageParts(message: JsonObject | null): JsonObject[] {
  const urls = listIn(message, 'images').map((image) => stringIn(objectIn(image, 'image_url'), 'url') ?? '');
  return urls.flatMap((url) => {
    const [, mimeType = null] = /^data:([^;,]+);base64,/.exec(url.slice(0, 256)) ?? [];
    return mimeType === null ? [] : [{ inlineData: { mimeType, data: url.slice(url.indexOf(',') + 1) } }];
  });
}

/** `annotations` as the citations of a candidate. */
export function citations(message: JsonObject | null): JsonObject {
  const found = listIn(message, 'annotations').flatMap((each) => {
    const { start_index: startIndex, end_index: endIndex, url: uri, title } = objectIn(each, 'url_citation') ?? {};
    return typeof uri === 'string' ? [{ startIndex, endIndex, uri, title }] : [];
  });
  return found.length === 0 ? {} : { citationMetadata: { citations: found } };
}

/** `choices[].logprobs` as `logprobsResult`. */
export function logprobs(choice: JsonObject | undefined): JsonObject {
  const tokens = listIn(objectIn(choice, 'logprobs'), 'content').filter(isObject);
  if (tokens.length === 0) return {};
  const chosenCandidates = tokens.map(tokenOf);
  const topCandidates = tokens.map((token) => ({
    candidates: listIn(token, 'top_logprobs').filter(isObject).map(tokenOf),
  }));
  return { logprobsResult: { chosenCandidates, topCandidates } };
}

function tokenOf(token: JsonObject): JsonObject {
  return { token: stringIn(token, 'token') ?? '', logProbability: token['logprob'] };
}
