import { createHash } from 'node:crypto';
import type { Credential } from '../../config/credential-source.js';
import type { ProviderAccount } from '../../config/snapshot.js';
import { GatewayError } from '../../dialects/error.js';
import { Secret } from '../../observability/secret.js';
import type { ProviderKind } from '../kind.js';
import type { AcquireContext } from './acquire.js';
import { chooseByWeight } from './choose.js';
import type { Authorised, CredentialPool, OutgoingCall, Refusal } from './credential-pool.js';
import type { Schedule } from './renewal.js';
import { Slot } from './slot.js';

export interface CredentialPoolParts extends Omit<AcquireContext, 'signal'> {
  readonly kinds: ReadonlyMap<string, ProviderKind>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Absent = timers that do not keep the process alive. */
  readonly schedule?: Schedule;
  /** A token could not be had: one sentence for operators, at each failure; the next try follows by itself. */
  readonly onProblem: (provider: string, message: string) => void;
}

/** The owner's side of the pool. */
export interface CredentialKeeper {
  readonly pool: CredentialPool;
  /**
   * These accounts are the ones from now on: their tokens are got and renewed. What is known about a credential that was
   * there before stays known. Requests that still follow older accounts can use what those held.
   */
  use(accounts: Iterable<ProviderAccount>): void;
  /** Resolves when every token was asked for once, whether it came or not. Bound it: a metadata server may be silent. */
  firstTries(): Promise<void>;
  /** No request and no timer after this. */
  stop(): void;
}

/** The credentials of all accounts, see `CredentialPool`. Nothing is asked before `use`, or the first call. */
export function createCredentialPool(parts: CredentialPoolParts): CredentialKeeper {
  return new Keeper(parts);
}

const UNREFERENCED: Schedule = (run, delayMs) => {
  const timer = setTimeout(run, delayMs).unref();
  return () => clearTimeout(timer);
};

const NOTHING: Authorised = Object.freeze({ headers: [], secrets: [], index: -1 });

class Keeper implements CredentialKeeper, CredentialPool {
  readonly #parts: CredentialPoolParts;
  /** By what they are, so that a reload finds them again. */
  readonly #slots = new Map<string, Slot>();
  readonly #ofAccount = new WeakMap<ProviderAccount, readonly Slot[]>();

  constructor(parts: CredentialPoolParts) {
    this.#parts = parts;
  }

  get pool(): CredentialPool {
    return this;
  }

  use(accounts: Iterable<ProviderAccount>): void {
    const wanted = new Set<Slot>();
    for (const account of accounts) for (const slot of this.#slotsOf(account)) wanted.add(slot);
    for (const [name, slot] of this.#slots) {
      if (wanted.has(slot)) continue;
      slot.stop();
      this.#slots.delete(name);
    }
  }

  async firstTries(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.firstTry()));
  }

  stop(): void {
    for (const slot of this.#slots.values()) slot.stop();
  }

  authorise(account: ProviderAccount, call: OutgoingCall): Authorised {
    const slots = this.#slotsOf(account);
    if (slots.length === 0) return NOTHING;
    const slot = this.#choose(slots, call.rotation);
    const proof = slot?.prove(call) ?? null;
    if (slot === null || proof === null) {
      throw new GatewayError('provider_auth', `No credential for provider "${account.name}" can be had at the moment.`);
    }
    return { headers: proof.headers, secrets: proof.secrets, index: slots.indexOf(slot) };
  }

  refused(account: ProviderAccount, index: number, refusal: Refusal): void {
    this.#slotsOf(account)[index]?.refused(refusal, this.#parts.now());
  }

  hasOther(account: ProviderAccount, index: number): boolean {
    if (index < 0) return false;
    const slots = this.#slotsOf(account);
    const now = this.#parts.now();
    return inUse(slots).some((slot) => slot !== slots[index] && slot.isReady() && !slot.cooling.isCooling(now));
  }

  /** By weight among those that are fit; when all are cooling, the one that is nearest to its end. */
  #choose(slots: readonly Slot[], rotation: number): Slot | null {
    if (slots.length === 1) return slots[0] ?? null;
    const now = this.#parts.now();
    const ready = inUse(slots).filter((slot) => slot.isReady());
    const fit = ready.filter((slot) => !slot.cooling.isCooling(now));
    if (fit.length > 0) return chooseByWeight(fit, rotation);
    return ready.reduce<Slot | null>(
      (best, slot) => (best === null || slot.cooling.until < best.cooling.until ? slot : best),
      null,
    );
  }

  #slotsOf(account: ProviderAccount): readonly Slot[] {
    const known = this.#ofAccount.get(account);
    if (known !== undefined) return known;
    const kind = this.#parts.kinds.get(account.kind);
    if (kind === undefined) throw new Error(`no provider kind ${account.kind}`);
    const seen = new Set<string>();
    const slots = account.credentials.map((credential) => {
      let name = nameOf(account, credential);
      // The same credential twice is two of them.
      while (seen.has(name)) name += '+';
      seen.add(name);
      return this.#slot(name, () => this.#newSlot(account, kind, credential));
    });
    this.#ofAccount.set(account, slots);
    return slots;
  }

  #slot(name: string, make: () => Slot): Slot {
    const slot = this.#slots.get(name) ?? make();
    this.#slots.set(name, slot);
    return slot;
  }

  #newSlot(account: ProviderAccount, kind: ProviderKind, credential: Credential): Slot {
    const { now, random, schedule = UNREFERENCED, onProblem, env, fetch, readFile } = this.#parts;
    return new Slot(account, kind, credential, {
      now,
      random,
      schedule,
      onProblem: (message) => onProblem(account.name, message),
      context: { env, fetch, readFile, now },
    });
  }
}

/** Those with a weight, or all where none has one. */
function inUse(slots: readonly Slot[]): readonly Slot[] {
  const weighted = slots.filter((slot) => slot.weight > 0);
  return weighted.length === 0 ? slots : weighted;
}

/** The same text for the same credential of the same provider; the secrets in it cannot be read back. */
function nameOf(account: ProviderAccount, credential: Credential): string {
  const { name, kind, baseUrl, region = null } = account;
  const revealed = (value: unknown): unknown => {
    if (value instanceof Secret) return value.reveal();
    if (typeof value !== 'object' || value === null) return value;
    return Object.entries(value).map(([member, inner]) => [member, revealed(inner)]);
  };
  const text = JSON.stringify([name, kind, baseUrl, region, revealed(credential)]);
  return createHash('sha256').update(text).digest('base64');
}
