import type { Credential, CredentialSource } from '../../../src/config/credential-source.js';
import type { ProviderAccount } from '../../../src/config/snapshot.js';
import { Secret } from '../../../src/observability/secret.js';
import { AcquireError } from '../../../src/providers/credentials/acquire.js';
import {
  type CredentialKeeper,
  type CredentialPoolParts,
  createCredentialPool,
} from '../../../src/providers/credentials/create-credential-pool.js';
import type { OutgoingCall } from '../../../src/providers/credentials/credential-pool.js';
import type { Schedule } from '../../../src/providers/credentials/renewal.js';
import type { ProviderKind } from '../../../src/providers/kind.js';
import { openai } from '../../../src/providers/openai.js';

export function account(more: Partial<ProviderAccount>): ProviderAccount {
  return {
    name: 'p',
    kind: 'openai',
    baseUrl: 'https://api.example.com/v1',
    credentials: [],
    headers: {},
    apiVersion: null,
    probeMs: null,
    ...more,
  };
}

/** A key, or an identity with its secret part. */
export function credential(secret: string, source?: CredentialSource, weight = 1): Credential {
  return { secret: new Secret(secret), weight, ...(source === undefined ? {} : { source }) };
}

export function call(rotation = 0): OutgoingCall {
  return { method: 'POST', path: '/v1/chat/completions', body: Buffer.from('{}'), rotation };
}

/** Kinds of each cloud, independent of the vendors that are registered. */
export const CLOUDS: ReadonlyMap<string, ProviderKind> = new Map(
  [
    openai,
    { ...openai, kind: 'aws', identity: 'aws' as const },
    { ...openai, kind: 'azure', credential: { header: 'api-key', prefix: '' }, identity: 'azure' as const },
    { ...openai, kind: 'google', identity: 'google' as const },
  ].map((kind) => [kind.kind, kind]),
);

/** A clock that stands still until it is turned; timers run when their time has come. */
export class TestClock {
  now = Date.parse('2026-06-01T00:00:00Z');
  readonly #timers = new Map<object, { readonly at: number; readonly run: () => void }>();

  readonly schedule: Schedule = (run, delayMs) => {
    const timer = {};
    this.#timers.set(timer, { at: this.now + delayMs, run });
    return () => void this.#timers.delete(timer);
  };

  /** Milliseconds until each timer, the next first. */
  get waits(): readonly number[] {
    return [...this.#timers.values()].map(({ at }) => at - this.now).sort((left, right) => left - right);
  }

  turn(ms: number): void {
    this.now += ms;
    for (const [timer, { at, run }] of [...this.#timers]) {
      if (at > this.now || !this.#timers.delete(timer)) continue;
      run();
    }
  }
}

export interface TestPool {
  readonly keeper: CredentialKeeper;
  readonly clock: TestClock;
  /** `provider: message` of each problem. */
  readonly problems: string[];
  /** Resolves when what a turned clock has started is done, as long as it asks nobody outside. */
  settle(): Promise<void>;
}

/** A pool without an outside world; `parts` gives as much of it as the test needs. */
export function createTestPool(parts: Partial<CredentialPoolParts> = {}): TestPool {
  const clock = new TestClock();
  const problems: string[] = [];
  const keeper = createCredentialPool({
    kinds: CLOUDS,
    env: {},
    fetch: () => Promise.reject(new AcquireError('nobody is to be asked')),
    readFile: () => Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' })),
    now: () => clock.now,
    random: () => 0,
    schedule: clock.schedule,
    onProblem: (provider, message) => problems.push(`${provider}: ${message}`),
    ...parts,
  });
  return { keeper, clock, problems, settle };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
