import type { Target } from '../config/snapshot.js';
import { accountOf } from './attempt.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';

/** True when the target's account has another credential than number `used` that is neither refused nor limited at the moment. */
export function hasSpareCredential(parts: Parts, state: RequestState, target: Target, used: number): boolean {
  const account = accountOf(state, target);
  return account.credentials.length > 1 && parts.credentials.hasOther(account, used);
}
