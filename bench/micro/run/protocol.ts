/** What the runner asks a child, and what it answers; one child for each revision. */
export type Ask =
  | { readonly kind: 'sample'; readonly name: string; readonly times: number }
  | { readonly kind: 'bytes'; readonly name: string }
  /** `ms`: of one sample; `share` of the usual way to warm up. */
  | { readonly kind: 'warm'; readonly name: string; readonly ms: number; readonly share: number };

export type Told =
  /** The cases that can run, and why others or whole files cannot. */
  | { readonly kind: 'ready'; readonly names: readonly string[]; readonly missing: Readonly<Record<string, string>> }
  /** CPU in microseconds for each time. */
  | { readonly kind: 'sample'; readonly micros: number }
  /** Memory that each time takes, in the heap and outside it; null if it could not be told. */
  | { readonly kind: 'bytes'; readonly bytes: number | null }
  /** How many times fill a sample. */
  | { readonly kind: 'warm'; readonly times: number }
  | { readonly kind: 'failed'; readonly message: string };
