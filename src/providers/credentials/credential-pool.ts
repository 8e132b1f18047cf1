import type { ProviderAccount } from '../../config/snapshot.js';
import type { OutgoingHeader } from './header.js';

/** What a credential has to sign, where it signs. */
export interface OutgoingCall {
  readonly method: string;
  /** As it goes onto the wire, query included. */
  readonly path: string;
  /** In one piece or in several. */
  readonly body: Buffer | readonly Buffer[];
  /** Of the body, SHA-256 in hexadecimal, where somebody has made it already. */
  readonly digest?: string | null;
  /** Number of the choice, so that weights rotate. */
  readonly rotation: number;
}

/** How one call proves who it is. */
export interface Authorised {
  readonly headers: readonly OutgoingHeader[];
  /** Every text in them that must never be shown to anybody. */
  readonly secrets: readonly string[];
  /** Which credential of the account; -1 = it has none, or the app brought its own. */
  readonly index: number;
}

/**
 * The credentials of all accounts. Never waits: tokens are fetched and renewed ahead of their end, beside requests.
 */
export interface CredentialPool {
  /** Throws GatewayError `provider_auth` when no credential of the account can be used now (a token could not be had). */
  authorise(account: ProviderAccount, call: OutgoingCall): Authorised;
  /** A call with credential `index` was refused (401, 403) or limited (429): others come first for a while. */
  refused(account: ProviderAccount, index: number, refusal: Refusal): void;
  /**
   * True when another credential than `index` could be used now: the same target is worth another try. False for -1: an
   * app's own key is not replaced by one of ours.
   */
  hasOther(account: ProviderAccount, index: number): boolean;
}

export interface Refusal {
  readonly reason: 'auth' | 'limited';
  /** Milliseconds that the provider asked for; null when it did not say. */
  readonly cooldownMs: number | null;
}
