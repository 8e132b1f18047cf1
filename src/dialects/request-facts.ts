import type { JsonMember } from '../codec/json-scan.js';
import type { RequestContent } from './content-shape.js';
import type { Wire } from './endpoint.js';

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a request says, as far as the gateway needs to know it. */
export interface RequestFacts {
  /** `bytes`: nothing of the body was read. */
  readonly format: 'json' | 'multipart' | 'bytes';
  readonly wire: Wire;
  /** As the client sent it: 1 to 512 characters. */
  readonly model: string;
  /** Bytes of the value: the JSON literal with its quotes, or the form field's text; null where the path names the model. */
  readonly modelRange: ByteRange | null;
  readonly stream: boolean;
  /** The client asked for the usage chunk (`stream_options.include_usage: true`). */
  readonly includeUsage: boolean;
  /** First of `user`, `safety_identifier` and `metadata.user_id` that is a non-empty string; else ''. */
  readonly user: string;
  /** OpenAI's `metadata`, its string values only; null when absent. */
  readonly metadata: Readonly<Record<string, string>> | null;
  /** The client's own bound on output tokens of one choice, the smallest it set; null when it set none. */
  readonly maxOutputTokens: number | null;
  /** Answers asked for: `n` (or `best_of` where larger), at least 1. */
  readonly choices: number;
  /** Tools or functions are offered. */
  readonly tools: boolean;
  readonly inputBytes: number;
  /** No tokenizer makes more tokens than bytes. Media and files named by reference are not in the body and not in here. */
  readonly inputTokensUpper: number;
  /** The answer may be spoken: `modalities` or `audio` is set. */
  readonly speaks: boolean;
  /** Where to splice; null for multipart. */
  readonly json: JsonPlaces | null;
  /** What `readContent` has found; undefined before. (In a WeakMap it would live as long as one that has grown old.) */
  content?: RequestContent | undefined;
}

/** Names under which a request bounds its output. */
export type OutputCapField =
  | 'max_tokens'
  | 'max_completion_tokens'
  | 'max_output_tokens'
  | 'generationConfig.maxOutputTokens'
  | 'generation_config.max_output_tokens'
  | 'inferenceConfig.maxTokens';

export interface OutputCapPlace extends ByteRange {
  readonly field: OutputCapField;
  /** null: it is there, but it bounds nothing (`null` or -1). */
  readonly tokens: number | null;
}

export interface JsonPlaces {
  /** Offset of the opening brace. */
  readonly root: number;
  readonly streamOptions: JsonMember | null;
  readonly includeUsage: JsonMember | null;
  /** Bounds of the output that this endpoint knows, as the client set them. */
  readonly outputCaps: readonly OutputCapPlace[];
  /** The object in which the dialect keeps the bound, where it has one and the client sent it. */
  readonly settings: JsonMember | null;
}
