import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { ProviderAccount } from '../config/snapshot.js';
import { endpointOfWire } from '../dialects/endpoints.js';
import { parseJson } from '../dialects/json-value.js';
import type { ModelFacts } from '../dialects/model-facts.js';
import { readModelList } from '../dialects/model-list-body.js';
import type { CredentialPool } from './credentials/credential-pool.js';
import type { ProviderKind } from './kind.js';

/** The models that providers say they have, fetched beside requests. */
export interface ListedModels {
  /** The last list that was had; empty while there is none. The same array until a new one comes. */
  of(provider: string): readonly ModelFacts[];
  /** Asks for these accounts from now on. Lists of accounts that stay where they were are kept. */
  use(accounts: Iterable<ProviderAccount>): void;
  /** No request after this. */
  stop(): void;
}

/** Rejects when there was no answer in time, or one above `maxBytes`. Must not follow redirects. */
export type ListGet = (
  url: string,
  request: {
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly maxBytes: number;
  },
) => Promise<{ readonly status: number; readonly body: Buffer }>;

export interface ListedModelsParts {
  readonly kinds: ReadonlyMap<string, ProviderKind>;
  readonly credentials: Pick<CredentialPool, 'authorise'>;
  readonly get: ListGet;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Milliseconds; absent = ten minutes, give or take a tenth. */
  readonly everyMs?: number;
  /** Milliseconds for one answer; absent = 5 s. */
  readonly timeoutMs?: number;
}

const EVERY_MS = 600_000;
const TIMEOUT_MS = 5_000;
/** The first requests are spread over this, so that a start is not a burst. */
const FIRST_WITHIN_MS = 2_000;
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_MODELS = 5_000;
const NOTHING: readonly ModelFacts[] = [];

interface Job {
  account: ProviderAccount;
  models: readonly ModelFacts[];
  stop(): void;
}

/**
 * Asks each account for its models at once and then every ten minutes; a call that no provider charges for. A list that cannot be
 * had leaves the one before. Left out are accounts without a credential, because they would only be refused, and clouds, whose
 * lists name what one could deploy, not what this account has.
 */
export function createListedModels(accounts: Iterable<ProviderAccount>, parts: ListedModelsParts): ListedModels {
  const jobs = new Map<string, Job>();
  const use = (wanted: Iterable<ProviderAccount>): void => {
    const asked = [...wanted].filter((account) => isAsked(account, parts.kinds.get(account.kind)));
    const names = new Set(asked.map(({ name }) => name));
    for (const [name, job] of jobs) if (!names.has(name)) end(jobs, name, job);
    for (const account of asked) {
      const job = jobs.get(account.name);
      if (job !== undefined && isSamePlace(job.account, account)) job.account = account;
      else {
        if (job !== undefined) end(jobs, account.name, job);
        jobs.set(account.name, startJob(account, parts));
      }
    }
  };
  use(accounts);
  return {
    of: (provider) => jobs.get(provider)?.models ?? NOTHING,
    use,
    stop: () => use([]),
  };
}

function end(jobs: Map<string, Job>, name: string, job: Job): void {
  job.stop();
  jobs.delete(name);
}

function isAsked({ credentials }: ProviderAccount, kind: ProviderKind | undefined): boolean {
  return kind !== undefined && kind.identity === undefined && kind.credential !== null && credentials.length > 0;
}

function isSamePlace(one: ProviderAccount, other: ProviderAccount): boolean {
  return one.kind === other.kind && one.baseUrl === other.baseUrl;
}

function startJob(account: ProviderAccount, parts: ListedModelsParts): Job {
  const { random, everyMs = EVERY_MS } = parts;
  const ended = new AbortController();
  let timer: NodeJS.Timeout;
  let rotation = 0;
  const fetchOnce = async (): Promise<void> => {
    const models = await listOf(job.account, parts, { rotation, ended: ended.signal });
    rotation += 1;
    if (ended.signal.aborted) return;
    if (models !== null) job.models = models;
    schedule(everyMs * (0.9 + 0.2 * random()));
  };
  const schedule = (delay: number): void => {
    timer = setTimeout(() => void fetchOnce(), delay).unref();
  };
  const job: Job = {
    account,
    models: NOTHING,
    stop() {
      clearTimeout(timer);
      ended.abort();
    },
  };
  schedule(Math.min(FIRST_WITHIN_MS, everyMs) * random());
  return job;
}

interface Round {
  readonly rotation: number;
  readonly ended: AbortSignal;
}

/** null = there is no list to be had now. */
async function listOf(
  account: ProviderAccount,
  { kinds, credentials, get, timeoutMs = TIMEOUT_MS }: ListedModelsParts,
  { rotation, ended }: Round,
): Promise<readonly ModelFacts[] | null> {
  const kind = kinds.get(account.kind);
  const url = `${account.baseUrl}/models${kind?.listQuery ?? ''}`;
  try {
    const call = {
      method: 'GET',
      path: url.slice(new URL(url).origin.length),
      body: Buffer.alloc(0),
      rotation,
    } as const;
    const asked = { endpoint: endpointOfWire('openai-models'), model: '', stream: false };
    const headers: Record<string, string> = {
      accept: 'application/json',
      ...kind?.callHeaders?.(asked, () => ''),
      ...account.headers,
    };
    for (const { name, value } of credentials.authorise(account, call).headers) headers[name] = value;
    const signal = AbortSignal.any([ended, AbortSignal.timeout(timeoutMs)]);
    const { status, body } = await get(url, { headers, signal, maxBytes: MAX_BYTES });
    const models = status === 200 ? readModelList(parseJson(body.toString()), MAX_MODELS) : [];
    return models.length > 0 ? models : null;
  } catch {
    // Health knows providers that cannot be reached; a list that is old is better than none.
    return null;
  }
}

/**
 * By Node's HTTP client: `fetch`, which few services call for anything else, takes some ten MiB to load. A redirect is an answer:
 * its place must not get the credential.
 */
export const listByHttp: ListGet = async (url, { headers, signal, maxBytes }) => {
  const { get } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const request = get(url, { headers: { 'user-agent': 'node', ...headers }, signal });
  // Once there is a response, it tells what breaks.
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`The list of models is above ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
};
