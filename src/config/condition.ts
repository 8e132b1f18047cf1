/** What a `when` may look at. Values are read only where the expression names them. */
export interface Subject {
  readonly request: {
    /** The name the client sent. */
    readonly model: string;
    /** The client's path. */
    readonly endpoint: string;
    readonly stream: boolean;
    readonly user: string;
    readonly tools: boolean;
    readonly metadata: Readonly<Record<string, string>>;
    /** First value of a request header by lower-case name; never a header that carries a key. */
    header(name: string): string | undefined;
    /** Estimated tokens of the input. Counting costs time: called only by conditions that name it. */
    inputTokens(): number;
  };
  readonly key: { readonly id: string; readonly labels: Readonly<Record<string, string>> };
  /** State of the counter that this request would use of the limit; read beforehand for conditions that name it. */
  limit(name: string): LimitState;
}

/** `used` and `max` of a limit with several bounds are those of the fullest one. */
export interface LimitState {
  readonly used: number;
  readonly max: number;
  /** used ÷ max. */
  readonly ratio: number;
}

/** A compiled CEL expression. */
export interface Condition {
  readonly source: string;
  /** Names of limits in `limit["…"]`: their state must be there before `matches` is called. */
  readonly limits: readonly string[];
  /**
   * Equalities that every match has: `key.labels.team == "search"` as a top-level conjunct gives `["key.labels.team",
   * "search"]`. Indexes skip the expression when one of them fails.
   */
  readonly equalities: readonly (readonly [field: string, value: string])[];
  /** Never throws: an expression that fails at run time (a missing label, a bad conversion) does not match. */
  matches(subject: Subject): boolean;
}
