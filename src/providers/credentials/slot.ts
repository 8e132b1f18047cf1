import type { Credential } from '../../config/credential-source.js';
import type { ProviderAccount } from '../../config/snapshot.js';
import type { ProviderKind } from '../kind.js';
import type { AcquireContext } from './acquire.js';
import { Cooling } from './cooling.js';
import type { OutgoingCall, Refusal } from './credential-pool.js';
import { createProve, type Proof, type Prove, wayOf } from './prove.js';
import { Renewal, type RenewalParts } from './renewal.js';

export interface SlotParts extends Pick<RenewalParts, 'now' | 'random' | 'schedule' | 'onProblem'> {
  readonly context: Omit<AcquireContext, 'signal'>;
}

/** One credential of one account, with what was learned about it. */
export class Slot {
  readonly weight: number;
  readonly cooling = new Cooling();
  readonly #prove: (call: OutgoingCall) => Proof | null;
  readonly #renewal: Renewal | null;

  constructor(account: ProviderAccount, kind: ProviderKind, credential: Credential, parts: SlotParts) {
    this.weight = credential.weight;
    const way = wayOf(account, kind, credential);
    if (way.kind === 'fixed') {
      this.#renewal = null;
      this.#prove = () => way.proof;
      return;
    }
    const prove: Prove = createProve(account, parts.now);
    if (way.kind === 'keys') {
      this.#renewal = null;
      this.#prove = (call) => prove(way.keys, call);
      return;
    }
    const renewal = new Renewal({ ...parts, acquire: (signal) => way.acquire({ ...parts.context, signal }) });
    this.#renewal = renewal;
    this.#prove = (call) => {
      const material = renewal.current();
      return material === null ? null : prove(material, call);
    };
  }

  /** False while there is no token, or no more. */
  isReady(): boolean {
    return this.#renewal === null || this.#renewal.current() !== null;
  }

  /** What the call carries; null when it is not ready. */
  prove(call: OutgoingCall): Proof | null {
    return this.#prove(call);
  }

  refused(refusal: Refusal, now: number): void {
    const isNews = this.cooling.add(refusal, now);
    // Keys are rotated and tokens revoked before their end: there may be a newer one.
    if (isNews && refusal.reason === 'auth') this.#renewal?.renew();
  }

  firstTry(): Promise<void> {
    return this.#renewal?.firstTry() ?? Promise.resolve();
  }

  stop(): void {
    this.#renewal?.stop();
  }
}
