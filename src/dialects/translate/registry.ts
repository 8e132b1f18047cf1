import type { Wire } from '../endpoint.js';
import { chatToAnthropic } from './chat-to-anthropic/pair.js';
import { chatToBedrock } from './chat-to-bedrock/pair.js';
import { chatToGemini } from './chat-to-gemini/pair.js';
import { compose } from './compose.js';
import { countTokensToBedrock } from './count-tokens-to-bedrock/pair.js';
import { embeddingsToBedrock } from './embeddings-to-bedrock/pair.js';
import { embeddingsToCohere } from './embeddings-to-cohere/pair.js';
import { embeddingsToEmbeddings } from './embeddings-to-embeddings/pair.js';
import { embeddingsToGemini } from './embeddings-to-gemini/pair.js';
import { embeddingsToVertex } from './embeddings-to-vertex/pair.js';
import { embeddingsToVoyage } from './embeddings-to-voyage/pair.js';
import { geminiToChat } from './gemini-to-chat/pair.js';
import { imagesToVertex } from './images-to-vertex/pair.js';
import { messagesToChat } from './messages-to-chat/pair.js';
import { rerankToJina } from './rerank-to-jina/pair.js';
import { rerankToRerank } from './rerank-to-rerank/pair.js';
import { rerankToVoyage } from './rerank-to-voyage/pair.js';
import { responsesToChat } from './responses-to-chat/pair.js';
import type { Translation } from './translation.js';

/** Every pair that is written; all others are composed of two of them, or do not exist. */
const PAIRS: readonly Translation[] = [
  chatToAnthropic,
  chatToBedrock,
  chatToGemini,
  countTokensToBedrock,
  embeddingsToBedrock,
  embeddingsToCohere,
  embeddingsToEmbeddings,
  embeddingsToGemini,
  embeddingsToVertex,
  embeddingsToVoyage,
  imagesToVertex,
  geminiToChat,
  messagesToChat,
  rerankToJina,
  rerankToRerank,
  rerankToVoyage,
  responsesToChat,
];

/** Wires through which two pairs may be joined without loss. */
const HUB: Wire = 'openai-chat';

const BY_NAME = new Map<string, Translation>();
for (const pair of PAIRS) BY_NAME.set(nameOf(pair.from, pair.to), pair);
for (const front of PAIRS) {
  for (const back of PAIRS) {
    const name = nameOf(front.from, back.to);
    if (front.to === HUB && back.from === HUB && front.from !== back.to && !BY_NAME.has(name))
      BY_NAME.set(name, compose(front, back));
  }
}

/** The translation for a client of `from` and a provider that is asked in `to`; null when there is none. */
export function findTranslation(from: Wire, to: Wire): Translation | null {
  return BY_NAME.get(nameOf(from, to)) ?? null;
}

/** All of them, written and composed, for tables and tests. */
export function allTranslations(): readonly Translation[] {
  return [...BY_NAME.values()];
}

function nameOf(from: Wire, to: Wire): string {
  return `${from} ${to}`;
}
