/** Wire formats: what a client's path speaks, and what a provider is asked in. Source: design, section 1.5. */
export type Wire =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'openai-moderations'
  | 'openai-images'
  | 'openai-speech'
  | 'openai-transcription'
  | 'openai-models'
  | 'openai-realtime'
  | 'anthropic-messages'
  | 'anthropic-count-tokens'
  | 'gemini-generate'
  | 'gemini-count-tokens'
  | 'gemini-embed'
  | 'vertex-predict'
  | 'bedrock-converse'
  | 'bedrock-count-tokens'
  | 'bedrock-embed'
  | 'cohere-embed'
  /** Cohere's v2 shape, which the client's `/v1/rerank` speaks. */
  | 'rerank'
  | 'jina-rerank'
  | 'voyage-rerank'
  /** A path of a provider that nobody here knows: passed through, metered by the request. */
  | 'raw';

/** Whose error shape the client reads. */
export type ErrorShape = 'openai' | 'anthropic' | 'google';

export interface Endpoint {
  /** The client's path, also the value of `endpoint` in records: `/v1/chat/completions`. */
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly wire: Wire;
  readonly errors: ErrorShape;
  readonly body: 'none' | 'json' | 'multipart';
  /** Path below a provider's base URL: `/chat/completions`. Empty where the provider's kind builds it from model and wire. */
  readonly upstreamPath: string;
  /** Model and stream where the dialect puts them into the path (Google's); absent = they are in the body. */
  readonly named?: NamedInPath;
}

export interface NamedInPath {
  readonly model: string;
  readonly stream: boolean;
  /** Google's `alt=sse`: without it a stream is one JSON array. */
  readonly sse: boolean;
}
