import type { Wire } from '../endpoint.js';
import type { JsonObject } from '../json-value.js';
import { embeddingsAnswer } from '../openai-embeddings/answer.js';
import { type EmbeddingsRequest, readEmbeddingsRequest, type VectorEncoding } from '../openai-embeddings/request.js';
import type { Vector } from '../openai-embeddings/vector.js';
import type { HeaderReader, Translation, TranslationContext } from './translation.js';
import { translationPair } from './translation-pair.js';
import { unaryAnswer } from './unary-answer.js';

/** How one provider is asked for embeddings. */
export interface EmbeddingsTarget {
  readonly wire: Wire;
  /** Members beyond OpenAI's that the provider takes under its own names. */
  readonly own: ReadonlySet<string>;
  body(asked: EmbeddingsRequest, context: TranslationContext): JsonObject;
  /** `tokens` null: the answer states none. */
  answer(
    body: JsonObject,
    header: HeaderReader,
  ): { readonly vectors: readonly Vector[]; readonly tokens: number | null };
}

/** OpenAI's embeddings in front of a target with another dialect. */
export function embeddingsPair(target: EmbeddingsTarget): Translation {
  return translationPair<VectorEncoding>({
    from: 'openai-embeddings',
    to: target.wire,
    write(request, context) {
      const asked = readEmbeddingsRequest(request, target.own, context.losses);
      return { body: target.body(asked, context), memory: asked.encoding };
    },
    read: (encoding, context) =>
      unaryAnswer((body, header) => {
        const { vectors, tokens } = target.answer(body, header);
        // Clients add up what they read here: an estimate is closer than 0.
        return embeddingsAnswer(vectors, { model: context.model, encoding, tokens: tokens ?? context.inputTokens });
      }),
  });
}
