import type { AnswerFold } from './answer-fold.js';
import { CountTokensFold, MessagesFold } from './anthropic/fold.js';
import { ConverseFold } from './bedrock/fold.js';
import { bedrockEmbedUsage } from './bedrock-embed/usage.js';
import { billedUnits } from './cohere/billed-units.js';
import { CountingFold } from './counting-fold.js';
import type { Wire } from './endpoint.js';
import { framingOf } from './event-decoder.js';
import { EventReader } from './event-reader.js';
import { GenerateFold } from './gemini/fold.js';
import { geminiEmbedUsage } from './gemini-embed/usage.js';
import { JsonReader } from './json-reader.js';
import { mediaType } from './media-type.js';
import { AudioFold } from './openai-audio/fold.js';
import { ChatFold } from './openai-chat/fold.js';
import { EmbeddingsFold } from './openai-embeddings/fold.js';
import { ImagesFold } from './openai-images/fold.js';
import { RealtimeFold } from './openai-realtime/fold.js';
import { RealtimeReader } from './openai-realtime/reader.js';
import { ResponsesFold } from './openai-responses/fold.js';
import { PassiveReader } from './passive-reader.js';
import type { ResponseReader } from './response-reader.js';
import { SseReader } from './sse-reader.js';
import { vertexPredictUsage } from './vertex-predict/usage.js';

export interface AnswerForm {
  /** A stream was asked for; decides only where the content type does not. */
  readonly stream: boolean;
  /** The answer's `content-type`, '' when missing. */
  readonly contentType: string;
}

const FOLDS: Readonly<Record<Wire, () => AnswerFold>> = {
  'openai-chat': () => new ChatFold(),
  'openai-completions': () => new ChatFold(),
  'openai-responses': () => new ResponsesFold(),
  'openai-embeddings': () => new EmbeddingsFold(),
  'openai-moderations': () => new EmbeddingsFold(),
  'openai-images': () => new ImagesFold(),
  'openai-speech': () => new AudioFold(),
  'openai-transcription': () => new AudioFold(),
  'openai-models': () => new EmbeddingsFold(),
  'openai-realtime': () => new RealtimeFold(),
  'anthropic-messages': () => new MessagesFold(),
  'anthropic-count-tokens': () => new CountTokensFold(),
  'gemini-generate': () => new GenerateFold(),
  'gemini-count-tokens': () => new CountingFold(() => null),
  'gemini-embed': () => new CountingFold(geminiEmbedUsage),
  'vertex-predict': () => new CountingFold(vertexPredictUsage),
  'bedrock-converse': () => new ConverseFold(),
  'bedrock-count-tokens': () => new CountTokensFold(),
  'bedrock-embed': () => new CountingFold(bedrockEmbedUsage),
  'cohere-embed': () => new CountingFold(billedUnits),
  'voyage-embed': () => new EmbeddingsFold(),
  rerank: () => new CountingFold(billedUnits),
  'jina-rerank': () => new EmbeddingsFold(),
  'voyage-rerank': () => new EmbeddingsFold(),
  raw: () => new EmbeddingsFold(),
};

/** What the wire's answers mean. */
export function createFold(wire: Wire): AnswerFold {
  return FOLDS[wire]();
}

/** The reader for one successful answer: by what it is (content type), not by what was asked for. */
export function createResponseReader(wire: Wire, form: AnswerForm): ResponseReader {
  const type = mediaType(form.contentType);
  if (wire === 'openai-realtime') return new RealtimeReader(FOLDS[wire]());
  const framing = framingOf(form.contentType, form.stream);
  if (framing === 'aws-event-stream') return new EventReader(framing, FOLDS[wire]());
  if (framing === 'json-array' && wire === 'gemini-generate') return new EventReader(framing, FOLDS[wire]());
  if (type === 'text/event-stream') return new SseReader(FOLDS[wire]());
  if (/[/+]json$/.test(type)) return new JsonReader(FOLDS[wire]());
  if (wire === 'openai-speech') return new PassiveReader(false);
  if (wire === 'openai-transcription' && type !== '') return new PassiveReader(true);
  return form.stream ? new SseReader(FOLDS[wire]()) : new JsonReader(FOLDS[wire]());
}
