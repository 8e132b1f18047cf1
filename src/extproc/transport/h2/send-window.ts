import { LARGEST } from './protocol.js';

/** Bytes that may be sent until the peer allows more. Source: RFC 9113, section 6.9. */
export class SendWindow {
  #left: number;

  constructor(left: number) {
    this.#left = left;
  }

  /** Below 0 after the peer has made its windows smaller. */
  get left(): number {
    return this.#left;
  }

  take(bytes: number): void {
    this.#left -= bytes;
  }

  /** False: more than any window may be. @param bytes negative where the peer makes its windows smaller */
  widen(bytes: number): boolean {
    this.#left += bytes;
    return this.#left <= LARGEST;
  }
}
