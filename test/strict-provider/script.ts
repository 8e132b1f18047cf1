/** A call of a tool, as a provider makes it. */
export interface ScriptedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** What a provider says in one turn, in no dialect. */
export interface Turn {
  /** A thought comes first, with the signature by which the provider knows it again. */
  readonly thought: { readonly text: string; readonly signature: string } | null;
  readonly text: string;
  readonly calls: readonly ScriptedCall[];
}

/** What a provider finds in a request of what was said before. Lists are in the order of the conversation. */
export interface Seen {
  readonly calls: readonly ScriptedCall[];
  readonly results: readonly { readonly id: string; readonly text: string }[];
  readonly signatures: readonly string[];
  /** Base64. */
  readonly images: readonly string[];
}

/** One dialect as a provider speaks it. */
export interface Speaker {
  /** Rules of the published API that the request breaks; empty: it is a valid one. */
  faults(body: unknown): readonly string[];
  seen(body: unknown): Seen;
  whole(turn: Turn): unknown;
  /** Pieces of a stream and their content type. */
  stream(turn: Turn): { readonly type: string; readonly pieces: readonly (string | Uint8Array)[] };
  refusal(message: string): unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: requests are read as they come; the schemas judge them
export type Json = any;

/** Cut so that neither words nor escapes end where a piece does. */
export function piecesOf(text: string): readonly string[] {
  const size = Math.max(1, Math.ceil(text.length / 3));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}

export function dataUrlBytes(url: string): string {
  return url.slice(url.indexOf(',') + 1);
}
