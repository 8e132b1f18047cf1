import type { ProviderAccount } from '../config/snapshot.js';
import type { CredentialPool } from './credentials/credential-pool.js';
import type { FailureKind } from './health/health.js';

/** Rejects when there was no answer; `TimeoutError` when the signal ended it. Must not follow redirects. */
export type ProbeGet = (
  url: string,
  request: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<{ readonly status: number }>;

export interface ProbeDependencies {
  readonly get: ProbeGet;
  readonly credentials: Pick<CredentialPool, 'authorise'>;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** `Health.probed` with the time; null = answered well. What proves nothing (404, 429) is not reported. */
  readonly report: (provider: string, failure: FailureKind | null) => void;
  /** Milliseconds for one probe; absent = 10 s. */
  readonly timeoutMs?: number;
}

export interface Probe {
  /** No request or report after this. */
  stop(): void;
}

const TIMEOUT_MS = 10_000;

/**
 * Asks each account for its list of models now and then: a call that no provider charges for. One unreferenced timer
 * per account; the first probe comes at a random time within the first period and each next one 10 % around it, so
 * that several gateways do not ask together. A probe never overlaps the one before. Accounts without `probeMs` are left out.
 */
export function createProbe(accounts: Iterable<ProviderAccount>, dependencies: ProbeDependencies): Probe {
  const stops: (() => void)[] = [];
  for (const account of accounts) {
    if (account.probeMs !== null) stops.push(startProbing({ account, everyMs: account.probeMs }, dependencies));
  }
  return {
    stop() {
      for (const stop of stops) stop();
    },
  };
}

interface Probing {
  readonly account: ProviderAccount;
  /** Milliseconds between two probes, on average. */
  readonly everyMs: number;
}

function startProbing(probed: Probing, dependencies: ProbeDependencies): () => void {
  const { everyMs } = probed;
  const end = new AbortController();
  let timer: NodeJS.Timeout;
  let rotation = 0;
  const probe = async (): Promise<void> => {
    const outcome = await probeOnce(probed, dependencies, { rotation, end: end.signal });
    rotation += 1;
    if (end.signal.aborted) return;
    if (outcome !== 'unclear') dependencies.report(probed.account.name, outcome);
    schedule(everyMs * (0.9 + 0.2 * dependencies.random()));
  };
  const schedule = (delay: number): void => {
    timer = setTimeout(() => void probe(), delay).unref();
  };
  schedule(everyMs * dependencies.random());
  return () => {
    clearTimeout(timer);
    end.abort();
  };
}

type Outcome = FailureKind | null | 'unclear';

async function probeOnce(
  { account }: Probing,
  { get, credentials, timeoutMs = TIMEOUT_MS }: ProbeDependencies,
  { rotation, end }: { readonly rotation: number; readonly end: AbortSignal },
): Promise<Outcome> {
  const url = modelsUrl(account);
  const headers: Record<string, string> = { accept: 'application/json', ...account.headers };
  try {
    const path = url.slice(new URL(url).origin.length);
    const call = { method: 'GET', path, body: Buffer.alloc(0), rotation } as const;
    for (const { name, value } of credentials.authorise(account, call).headers) headers[name] = value;
  } catch {
    // Without a token nothing can be learned about the provider; that there is none has been told.
    return 'unclear';
  }
  const signal = AbortSignal.any([end, AbortSignal.timeout(timeoutMs)]);
  try {
    return readStatus((await get(url, { headers, signal })).status);
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'connect';
  }
}

/** A key may be allowed to chat but not to list models (403), and not every provider has the list (404). */
function readStatus(status: number): Outcome {
  if (status >= 200 && status < 300) return null;
  if (status === 401) return 'auth';
  return status >= 500 ? 'server' : 'unclear';
}

/** With an `apiVersion` the base URL is Azure's bare host. */
function modelsUrl({ baseUrl, apiVersion }: ProviderAccount): string {
  if (apiVersion === null) return `${baseUrl}/models`;
  const root = baseUrl.endsWith('/openai') ? baseUrl : `${baseUrl}/openai`;
  return `${root}/models?api-version=${encodeURIComponent(apiVersion)}`;
}

/** By Node's own client. A redirect is an answer: its place must not get the credential. The body is not read. */
export const probeByFetch: ProbeGet = async (url, { headers, signal }) => {
  const response = await fetch(url, { headers, signal, redirect: 'manual' });
  await response.body?.cancel();
  return { status: response.status };
};
