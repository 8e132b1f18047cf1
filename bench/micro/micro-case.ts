/**
 * One thing that is measured alone. A file of `bench/micro/` (but this one and `run/`) exports `cases`, and imports from `src/` only
 * what older revisions have too: it runs against the sources of another revision, and is left out there if they lack
 * something. A case must fail when its result is not what it should be.
 */
export interface MicroCase {
  readonly name: string;
  /** How often it is done before it is measured; not given: for a fifth of a second. */
  readonly warmUp?: number;
  /** Does it `times` times. */
  run(times: number): void | Promise<void>;
}

/** What a file exports as `cases`. */
export type MakeCases = () => readonly MicroCase[] | Promise<readonly MicroCase[]>;
