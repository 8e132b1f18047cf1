import { GatewayError } from '../error.js';

/**
 * What a translation could not carry over. A loss that changes the meaning is refused at once; every other is collected, to be
 * named in `x-tollgate-warning`, or refused where the model is `strict`.
 */
export class Losses {
  readonly #dropped = new Set<string>();

  /** `field`: path in the client's request, `logit_bias`, `messages[].name`: no index, so that one kind of loss is one name. */
  drop(field: string): void {
    this.#dropped.add(field);
  }

  /** Names in the order of their first loss. */
  get dropped(): readonly string[] {
    return [...this.#dropped];
  }

  /** Throws `unsupported_parameter`. `why` completes "… cannot be sent to this model: ". */
  refuse(field: string, why: string): never {
    throw unsupported(field, `"${field}" cannot be sent to this model: ${why}.`);
  }
}

export function unsupported(field: string, message: string): GatewayError {
  return new GatewayError('unsupported_parameter', message, { param: field });
}
