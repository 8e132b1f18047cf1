import { inspect } from 'node:util';

/**
 * A value that must never be printed: a provider's credential, a gateway key, the admin token.
 * Everything that renders an object (JSON, util.inspect, template strings, pino) sees the mask.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plain text. Call it where the bytes leave for the provider or for a comparison, nowhere else. */
  reveal(): string {
    return this.#value;
  }

  /** `[secret:last4]`, or `[secret]` when four characters would give too much away. */
  get mask(): string {
    return this.#value.length >= 16 ? `[secret:${this.#value.slice(-4)}]` : '[secret]';
  }

  toString(): string {
    return this.mask;
  }

  toJSON(): string {
    return this.mask;
  }

  [inspect.custom](): string {
    return this.mask;
  }
}
