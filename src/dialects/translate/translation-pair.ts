import type { Wire } from '../endpoint.js';
import type { JsonObject } from '../json-value.js';
import type { AnswerTranslation, Translation, TranslationContext } from './translation.js';

/** A pair as its folder writes it. `Memory` is what the answer must know of the request: plain data, without functions and classes. */
export interface PairParts<Memory> {
  readonly from: Wire;
  readonly to: Wire;
  /** See `Translation.needed`. */
  readonly needed?: (request: JsonObject) => boolean;
  /** See `Translation.prepare`. */
  write(request: JsonObject, context: TranslationContext): { readonly body: JsonObject; readonly memory: Memory };
  read(memory: Memory, context: TranslationContext): AnswerTranslation;
}

/** Binds the halves of a pair: an answer can be read wherever the memory of its request is. */
export function translationPair<Memory>({ from, to, needed, write, read }: PairParts<Memory>): Translation {
  return {
    from,
    to,
    ...(needed === undefined ? {} : { needed }),
    prepare(request, context) {
      const { body, memory } = write(request, context);
      const { answer, stream } = read(memory, context);
      return { body, memory, answer, stream };
    },
    // Whoever recalls passes what `write` of this pair gave.
    recall: (memory, context) => read(memory as Memory, context),
  };
}
