export type KeyErrorCode =
  /** What was asked makes no sense; `param` names the field. */
  | 'invalid'
  | 'not_found'
  /** The state of the key forbids it: fixed in the config file, revoked, changed by somebody else at the same moment. */
  | 'conflict'
  /** The store cannot be reached. */
  | 'unavailable';

/** Why a key was not shown or changed, in words for whoever asked. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  readonly code: KeyErrorCode;
  readonly param: string | null;

  constructor(code: KeyErrorCode, message: string, param: string | null = null) {
    super(message);
    this.code = code;
    this.param = param;
  }
}
