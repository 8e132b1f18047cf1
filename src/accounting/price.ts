import type { TokenClass, UnitClass } from '../dialects/usage.js';
import type { Share } from './exact.js';

/** A price that may grow with the context: the last step whose `above` is exceeded holds for every token of the class. */
export interface Rate {
  /** 10^-12 dollars per million tokens. */
  readonly base: bigint;
  /** Ascending by `above` (input tokens of the request, caches included). */
  readonly steps: readonly { readonly above: number; readonly price: bigint }[];
}

/** `price` (10^-12 dollars) for every `per` units: an hour of sound is 3,600 seconds. */
export interface UnitPrice {
  readonly price: bigint;
  readonly per: bigint;
}

/** What one target costs at one moment. */
export interface Price {
  /**
   * Goes into each record: `config`, or the catalogue's name and version with the day it was asked for; `+discount` and
   * `+<service tier>` behind it where they changed the rates.
   */
  readonly version: string;
  /** A class without a rate falls back, see cost.ts; `input` and `output` without a rate are unknown, not free. */
  readonly rates: Readonly<Partial<Record<TokenClass, Rate>>>;
  /** What is billed by the piece; a class without a price is unknown, not free. */
  readonly units: Readonly<Partial<Record<UnitClass, UnitPrice>>>;
  /** For each request, on top of everything else; null = none is charged. */
  readonly request: UnitPrice | null;
  /** Share of the standard rates per token by the name of a service tier; a tier that is not in here has no known price. */
  readonly tiers: Readonly<Record<string, Share>>;
  /** Tokens that fit into the model's context; null = not known. Bounds estimates. */
  readonly contextWindow: number | null;
}
