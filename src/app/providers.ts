import { readFile } from 'node:fs/promises';
import type { Snapshot } from '../config/snapshot.js';
import type { ModelFacts } from '../dialects/model-facts.js';
import type { Log } from '../observability/log.js';
import { type CredentialKeeper, createCredentialPool } from '../providers/credentials/create-credential-pool.js';
import type { CredentialPool } from '../providers/credentials/credential-pool.js';
import type { Health } from '../providers/health/health.js';
import { createListedModels, type ListedModels, listByHttp } from '../providers/listed-models.js';
import { createProbe, type Probe, probeByFetch } from '../providers/probe.js';
import { PROVIDER_KINDS } from '../providers/registry.js';

export interface ProviderServiceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly health: Health;
}

/** What is done with providers beside requests: tokens are renewed, health is probed. */
export class ProviderService {
  readonly #options: ProviderServiceOptions;
  readonly #keeper: CredentialKeeper;
  readonly #models: ListedModels;
  #probe: Probe | null = null;

  constructor(options: ProviderServiceOptions) {
    this.#options = options;
    this.#keeper = createCredentialPool({
      kinds: PROVIDER_KINDS,
      env: options.env,
      fetch: (url, request) => fetch(url, request),
      readFile: (path) => readFile(path, 'utf8'),
      now: Date.now,
      random: Math.random,
      onProblem: (provider, message) =>
        options.log.failure(`credentials of ${provider}: ${message}`, null, { provider }),
    });
    const parts = { kinds: PROVIDER_KINDS, credentials: this.#keeper.pool, get: listByHttp, random: Math.random };
    this.#models = createListedModels([], parts);
  }

  /** The provider's own list of models; empty while there is none. */
  listed(provider: string): readonly ModelFacts[] {
    return this.#models.of(provider);
  }

  get credentials(): CredentialPool {
    return this.#keeper.pool;
  }

  /** From now on these are the accounts. */
  use(snapshot: Snapshot): void {
    this.#keeper.use(snapshot.providers.values());
    this.#models.use(snapshot.providers.values());
    this.#probe?.stop();
    this.#probe = probeProviders(snapshot, this.#options.health, this.credentials);
  }

  /** Resolves when every token was asked for once, or after `patienceMs`. */
  async ready(patienceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([this.#keeper.firstTries(), late]);
    clearTimeout(timer);
  }

  stop(): void {
    this.#keeper.stop();
    this.#models.stop();
    this.#probe?.stop();
  }
}

/** Asks providers for their list of models now and then, where the configuration wants it. */
function probeProviders(snapshot: Snapshot, health: Health, credentials: CredentialPool): Probe {
  const report = (provider: string, failure: Parameters<Health['probed']>[1]): void =>
    health.probed(provider, failure, Date.now());
  return createProbe(snapshot.providers.values(), { get: probeByFetch, credentials, random: Math.random, report });
}
