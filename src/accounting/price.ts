import type { UsageClass } from '../dialects/usage.js';

/** Classes that are billed by the million tokens. */
export type TokenClass = Exclude<UsageClass, 'requests'>;

/** A price that may grow with the context: the last step whose `above` is exceeded holds for every token of the class. */
export interface Rate {
  /** 10^-12 dollars per million tokens. */
  readonly base: bigint;
  /** Ascending by `above` (input tokens of the request, caches included). */
  readonly steps: readonly { readonly above: number; readonly price: bigint }[];
}

/** What one target costs at one moment. */
export interface Price {
  /** Goes into each record: `config`, or the catalogue's name and version with the day it was asked for. */
  readonly version: string;
  /** A class without a rate falls back, see cost.ts; `input` and `output` without a rate are unknown, not free. */
  readonly rates: Readonly<Partial<Record<TokenClass, Rate>>>;
  /** 10^-12 dollars for each request (or unit, where the provider counts units); null = none is charged. */
  readonly request: bigint | null;
  /** Tokens that fit into the model's context; null = not known. Bounds estimates. */
  readonly contextWindow: number | null;
}
