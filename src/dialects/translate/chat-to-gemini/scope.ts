import type { Losses } from '../losses.js';

/** What every part of a request for Gemini must know. */
export interface Scope {
  readonly losses: Losses;
  /** The provider's name of the model. */
  readonly model: string;
  /** Generation, see `modelVersion`: 2, 2.5, 3. */
  readonly version: number;
}

/** JSON Schema as it is, thinking and links to any server came with this generation. */
export const VERSION_WITH_JSON_SCHEMA = 2.5;
/** Checks signatures of thoughts, and takes media in results of functions. */
export const VERSION_WITH_SIGNATURES = 3;
