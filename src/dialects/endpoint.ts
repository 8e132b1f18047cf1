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
  | 'voyage-embed'
  /** Cohere's v2 shape, which the client's `/v1/rerank` speaks. */
  | 'rerank'
  | 'jina-rerank'
  | 'voyage-rerank'
  /** A path of a provider that nobody here knows: passed through, metered by the request. */
  | 'raw';

/** Whose error shape the client reads. */
export type ErrorShape = 'openai' | 'anthropic' | 'google';

export interface Endpoint {
  /** The client's path, also the value of `endpoint` in records: `/v1/chat/completions`, `/v1beta/models/{model}:generateContent`. */
  readonly path: string;
  /** Upper case; anything that HTTP knows under `/providers/…`. */
  readonly method: string;
  readonly wire: Wire;
  readonly errors: ErrorShape;
  /** `any`: bytes that are not read, or none at all. */
  readonly body: 'none' | 'json' | 'multipart' | 'any';
  /** Path below a provider's base URL: `/chat/completions`. Empty where the provider's kind builds it from model and wire. */
  readonly upstreamPath: string;
  /** Model and stream where the dialect puts them into the path (Google's); absent = they are in the body. */
  readonly named?: NamedInPath;
  /** Set under `/providers/{provider}/…`: who is asked, and the rest of the path with its query, as the client wrote it. */
  readonly direct?: { readonly provider: string; readonly path: string };
}

export interface NamedInPath {
  readonly model: string;
  readonly stream: boolean;
  /** Google's `alt=sse`: without it a stream is one JSON array. */
  readonly sse: boolean;
}
