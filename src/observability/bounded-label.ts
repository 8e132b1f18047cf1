/** What a label says for values that are not told apart. */
export const OTHER = 'other';

/** The longest value of a label; longer ones are `other`. */
const LONGEST_VALUE = 200;

/**
 * Keeps a label that others can influence from growing without end: the first `most` distinct admitted values keep their
 * name, everything else is `other`. Only what has proven to exist should be admitted (a provider answered for it), or a
 * scan of made-up names uses up the room.
 */
export class BoundedLabel {
  readonly #known = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** The value itself if it is known or may become known now, else `other`. */
  admit(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#most || value === '' || value.length > LONGEST_VALUE) return OTHER;
    this.#known.add(value);
    return value;
  }

  /** The value itself if it was admitted before, else `other`. */
  known(value: string): string {
    return this.#known.has(value) ? value : OTHER;
  }
}
