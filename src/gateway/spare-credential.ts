import type { Target } from '../config/snapshot.js';
import { accountOf } from './attempt.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';

/** Any credential of the account that could be used now. */
const NONE = -1;

/** True when the target's account has a credential that is neither refused nor limited at the moment, beside the usual one. */
export function hasSpareCredential(parts: Parts, state: RequestState, target: Target): boolean {
  const account = accountOf(state, target);
  return account.credentials.length > 1 && parts.credentials.hasOther(account, NONE);
}
