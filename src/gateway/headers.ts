/** Read access to the headers of one message; names are lower case as Envoy sends them. */
export interface HeaderView {
  /** First value, or undefined. */
  get(name: string): string | undefined;
  /** Every value, in order. */
  all(name: string): readonly string[];
  names(): readonly string[];
  /** Name and value of each, in order. */
  entries(): readonly (readonly [name: string, value: string])[];
}

/** Of a request that never reached us, or no longer needs its own. */
export const NO_HEADERS: HeaderView = { get: () => undefined, all: () => [], names: () => [], entries: () => [] };
