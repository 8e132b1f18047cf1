/** How long limits that are not hard get by without their counters. */
const ALLOWANCE_MS = 60_000;

export interface OutageOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told when it changes. */
  readonly onChange: (state: 'reachable' | 'unreachable') => void;
}

/**
 * Whether the counters can be reached, as the last operations saw it. A store that fails every other time is in one long
 * outage: only after a minute without failure does a new one begin, with a new allowance.
 */
export class Outage {
  readonly #options: OutageOptions;
  #startedAt = Number.NEGATIVE_INFINITY;
  #endedAt = Number.NEGATIVE_INFINITY;
  #active = false;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  get active(): boolean {
    return this.#active;
  }

  /** Epoch milliseconds: the name of the outage, whichever configuration sees it. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Still in the minute in which a share of the limit may be used without asking. */
  get withinAllowance(): boolean {
    return this.#active && this.#options.now() - this.#startedAt < ALLOWANCE_MS;
  }

  failed(): void {
    if (this.#active) return;
    const now = this.#options.now();
    this.#active = true;
    if (now - this.#endedAt >= ALLOWANCE_MS) this.#startedAt = now;
    this.#options.onChange('unreachable');
  }

  worked(): void {
    if (!this.#active) return;
    this.#active = false;
    this.#endedAt = this.#options.now();
    this.#options.onChange('reachable');
  }
}
