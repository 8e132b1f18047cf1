import type { Wire } from '../endpoint.js';
import { type JsonObject, listIn, objectIn } from '../json-value.js';
import { type RerankMemory, rerankAnswer, rerankMemory, rerankResults } from '../rerank/answer.js';
import { type RerankRequest, readRerankRequest } from '../rerank/request.js';
import { statedAmount } from '../stated-amount.js';
import type { Translation, TranslationContext } from './translation.js';
import { translationPair } from './translation-pair.js';
import { unaryAnswer } from './unary-answer.js';

/** How a provider that bills tokens is asked to rerank. */
export interface RerankTarget {
  readonly wire: Wire;
  readonly own: ReadonlySet<string>;
  body(asked: RerankRequest, context: TranslationContext): JsonObject;
  /** The member that lists the results. */
  readonly results: string;
}

/** Cohere's rerank in front of a target with another dialect. Documents are given back by us: they need not travel twice. */
export function rerankPair(target: RerankTarget): Translation {
  return translationPair<RerankMemory>({
    from: 'rerank',
    to: target.wire,
    write(request, context) {
      const asked = readRerankRequest(request, target.own, context.losses);
      return { body: target.body(asked, context), memory: rerankMemory(asked) };
    },
    read: (asked, context) =>
      unaryAnswer((body) => {
        const tokens = statedAmount(objectIn(body, 'usage'), 'total_tokens') ?? context.inputTokens;
        return rerankAnswer(rerankResults(listIn(body, target.results), asked), { id: context.id, tokens });
      }),
  });
}
