import type { JsonObject } from '../json-value.js';
import type { Losses } from '../translate/losses.js';
import { takeOwnMembers } from '../translate/own-members.js';

/** A client's request for embeddings by a provider that has another dialect. */
export interface EmbeddingsRequest {
  readonly texts: readonly string[];
  /** null = as many as the model gives. */
  readonly dimensions: number | null;
  readonly encoding: VectorEncoding;
  /** Members that only this target knows, under its own names. */
  readonly own: JsonObject;
}

export type VectorEncoding = 'float' | 'base64';

const KNOWN: ReadonlySet<string> = new Set(['model', 'input', 'dimensions', 'encoding_format']);

/**
 * Reads OpenAI's request. Refuses token ids: they are numbers of OpenAI's own tokenizers.
 * @param own names of members, beside OpenAI's, that the target takes; any other is dropped with a warning
 */
export function readEmbeddingsRequest(
  request: JsonObject,
  own: ReadonlySet<string>,
  losses: Losses,
): EmbeddingsRequest {
  return {
    texts: textsOf(request['input'], losses),
    dimensions: dimensionsOf(request['dimensions'], losses),
    encoding: encodingOf(request, losses),
    own: takeOwnMembers(request, { known: KNOWN, own }, losses),
  };
}

/** What the client wants its vectors in; OpenAI's SDKs ask for base64 unless told otherwise. */
export function encodingOf(request: JsonObject, losses: Losses): VectorEncoding {
  const format = request['encoding_format'] ?? 'float';
  if (format === 'float' || format === 'base64') return format;
  return losses.refuse('encoding_format', 'it is neither "float" nor "base64"');
}

/** The number of texts is a bound of the target: more than it takes is refused here, in words that name the way out. */
export function atMostTexts(asked: EmbeddingsRequest, most: number, losses: Losses): void {
  const count = asked.texts.length;
  if (count <= most) return;
  const bound = most === 1 ? 'it takes one text per call' : `it takes at most ${most} texts per call`;
  losses.refuse('input', `${bound} and the list has ${count}; send several requests`);
}

export function noDimensions(asked: EmbeddingsRequest, losses: Losses): void {
  if (asked.dimensions !== null) losses.refuse('dimensions', 'the length of its vectors is fixed');
}

function textsOf(input: unknown, losses: Losses): readonly string[] {
  const list: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (list.every((each) => typeof each === 'string')) return list;
  const ids = list.some((each) => typeof each === 'number' || Array.isArray(each));
  return losses.refuse('input', ids ? 'it takes texts, not token ids' : 'it is neither a text nor a list of texts');
}

function dimensionsOf(dimensions: unknown, losses: Losses): number | null {
  if (dimensions === undefined || dimensions === null) return null;
  if (typeof dimensions === 'number' && Number.isSafeInteger(dimensions) && dimensions > 0) return dimensions;
  return losses.refuse('dimensions', 'it is not a whole number above 0');
}
