/** Client API paths that Tollgate serves, and what each of them is. Source: design, section 1.5. */
export type Wire =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'openai-moderations'
  | 'openai-images'
  | 'openai-speech'
  | 'openai-transcription'
  | 'openai-models';

/** Whose error shape the client reads. */
export type ErrorShape = 'openai' | 'anthropic' | 'google';

export interface Endpoint {
  /** The client's path, also the value of `endpoint` in records: `/v1/chat/completions`. */
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly wire: Wire;
  readonly errors: ErrorShape;
  readonly body: 'none' | 'json' | 'multipart';
  /** Path below a provider's base URL: `/chat/completions`. */
  readonly upstreamPath: string;
}
