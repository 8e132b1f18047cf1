/** What is known of a model beside its name; null = not told. */
export interface ModelFacts {
  readonly id: string;
  /** Name for people. */
  readonly title: string | null;
  /** Tokens of input and output together. */
  readonly contextWindow: number | null;
  /** Tokens of one answer. */
  readonly maxOutput: number | null;
}
