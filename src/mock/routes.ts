import type { Answerer } from './answer.js';
import { countMessageTokens } from './anthropic/count-tokens.js';
import { invokedMessages, messages, vertexMessages } from './anthropic/messages.js';
import { converse } from './bedrock/converse.js';
import { countBedrockTokens } from './bedrock/count-tokens.js';
import { invoke } from './bedrock/invoke.js';
import { chat } from './chat.js';
import { cohereEmbed } from './cohere/embed.js';
import { cohereRerank, tokenRerank } from './cohere/rerank.js';
import { completions } from './completions.js';
import { embeddings } from './embeddings.js';
import { anthropicError, awsError, cohereError, type ErrorWriter, googleError, openaiError } from './errors.js';
import { countGeminiTokens } from './gemini/count-tokens.js';
import { batchEmbed, embedContent, predict } from './gemini/embed.js';
import { type Form as GeminiForm, generate } from './gemini/generate.js';
import { images, moderations, speech, transcription } from './media.js';
import { responses } from './responses.js';

/** Who answers a path, in which dialect. */
export interface MockRoute {
  readonly answer: Answerer;
  readonly errors: ErrorWriter;
  /** From the path; null = it is in the body. */
  readonly model: string | null;
}

const openai = (answer: Answerer): MockRoute => ({ answer, errors: openaiError, model: null });
const anthropic = (answer: Answerer): MockRoute => ({ answer, errors: anthropicError, model: null });
const cohere = (answer: Answerer): MockRoute => ({ answer, errors: cohereError, model: null });

/** Paths whose model is in the body, with and without `/v1` where the path says none. */
const PLAIN: ReadonlyMap<string, MockRoute> = new Map([
  ['/chat/completions', openai(chat)],
  ['/compatibility/v1/chat/completions', openai(chat)],
  ['/completions', openai(completions)],
  ['/responses', openai(responses)],
  ['/embeddings', openai(embeddings)],
  ['/moderations', openai(moderations)],
  ['/images/generations', openai(images)],
  ['/audio/speech', openai(speech)],
  ['/audio/transcriptions', openai(transcription)],
  ['/audio/translations', openai(transcription)],
  ['/rerank', openai(tokenRerank)],
  ['/messages', anthropic(messages)],
  ['/messages/count_tokens', anthropic(countMessageTokens)],
  ['/v2/embed', cohere(cohereEmbed)],
  ['/v2/rerank', cohere(cohereRerank)],
]);

const GOOGLE: ReadonlyMap<string, (form: GeminiForm) => Answerer> = new Map<string, (form: GeminiForm) => Answerer>([
  ['generateContent', () => generate('whole')],
  ['streamGenerateContent', generate],
  ['countTokens', () => countGeminiTokens],
  ['batchEmbedContents', () => batchEmbed],
  ['embedContent', () => embedContent],
  ['predict', () => predict],
]);
const GOOGLE_PATH = /^\/(?:v1|v1beta|v1beta1)\/(?:projects\/.+\/publishers\/google\/)?models\/([^/:]+):([a-zA-Z]+)$/;
const VERTEX_CLAUDE =
  /^\/(?:v1|v1beta1)\/projects\/.+\/publishers\/anthropic\/models\/([^/:]+):(?:stream)?[rR]awPredict$/;

const BEDROCK: ReadonlyMap<string, Answerer> = new Map([
  ['converse', converse('whole')],
  ['converse-stream', converse('frames')],
  ['invoke', invoke(invokedMessages('whole'))],
  ['invoke-with-response-stream', invoke(invokedMessages('frames'))],
  ['count-tokens', countBedrockTokens],
]);
const BEDROCK_PATH = /^\/model\/([^/]+)\/([a-z-]+)$/;

/** The route of a POST; null = there is none. */
export function routeOf(url: string): MockRoute | null {
  const [path = '/', query = ''] = url.split('?', 2);
  return PLAIN.get(path.replace(/^\/v1(?=\/)/, '')) ?? googleRoute(path, query) ?? bedrockRoute(path);
}

function googleRoute(path: string, query: string): MockRoute | null {
  const claude = VERTEX_CLAUDE.exec(path)?.[1];
  if (claude === 'count-tokens') return anthropic(countMessageTokens);
  if (claude !== undefined) return { answer: vertexMessages, errors: anthropicError, model: decoded(claude) };
  const [, model, verb = ''] = GOOGLE_PATH.exec(path) ?? [];
  const answer = GOOGLE.get(verb)?.(/(?:^|&)alt=sse(?:&|$)/.test(query) ? 'sse' : 'array');
  return model === undefined || answer === undefined ? null : { answer, errors: googleError, model: decoded(model) };
}

function bedrockRoute(path: string): MockRoute | null {
  const [, model, verb = ''] = BEDROCK_PATH.exec(path) ?? [];
  const answer = BEDROCK.get(verb);
  return model === undefined || answer === undefined ? null : { answer, errors: awsError, model: decoded(model) };
}

/** Whose shape the error of an unknown path or a wrong key has. */
export function errorsOf(url: string): ErrorWriter {
  const route = routeOf(url);
  if (route !== null) return route.errors;
  return /^\/v1beta(?:1)?\//.test(url) ? googleError : openaiError;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
