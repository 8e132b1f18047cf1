import type { Test } from 'tap';
import type { Seed } from '../../../src/store/counter-store.js';
import {
  connectRedisCounters,
  type RedisCounterOptions,
  type RedisCounters,
} from '../../../src/store/redis/redis-counters.js';
import { type RedisServer, startRedis } from '../../servers/redis.js';

export interface ConnectedStore {
  readonly store: RedisCounters;
  /** What `onProblem` said: a message, or null. */
  readonly problems: (string | null)[];
  /** How often the store asked for the ledger. */
  asked(): number;
  /** Waits until it has told its ledger so many times. */
  told(times: number): Promise<void>;
}

interface Telling extends Partial<Omit<RedisCounterOptions, 'onProblem' | 'onEmpty'>> {
  /** What the ledger knows when it is asked. */
  readonly ledger?: () => Partial<Seed>;
}

let stores = 0;

/** A store of its own prefix unless given, which tells its ledger whenever it is asked to. Not ready yet. */
export function openStore(t: Test, url: string, { ledger, ...options }: Telling = {}): ConnectedStore {
  stores += 1;
  const processId = options.processId ?? `process${stores}`;
  const problems: (string | null)[] = [];
  let [asked, done] = [0, 0];
  let waiting: { readonly times: number; readonly resolve: () => void }[] = [];
  const store = connectRedisCounters({
    url,
    cluster: false,
    prefix: `test${stores}`,
    timeoutMs: 10_000,
    processId,
    onProblem: (problem) => problems.push(problem?.message ?? null),
    onEmpty: () => {
      asked += 1;
      store.seed({ source: processId, used: new Map(), holds: new Map(), ...ledger?.() }, (error) => {
        if (error !== null) return;
        done += 1;
        for (const { times, resolve } of waiting) if (done >= times) resolve();
        waiting = waiting.filter(({ times }) => done < times);
      });
    },
    ...options,
  });
  t.teardown(() => store.close());
  const told = (times: number): Promise<void> =>
    new Promise((resolve) => {
      if (done >= times) resolve();
      else waiting.push({ times, resolve });
    });
  return { store, problems, asked: () => asked, told };
}

/** Ready to be asked. */
export async function connectStore(t: Test, url: string, options: Telling = {}): Promise<ConnectedStore> {
  const connected = openStore(t, url, options);
  await connected.told(1);
  return connected;
}

export async function startServer(t: Test, options: Parameters<typeof startRedis>[0] = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  t.teardown(() => server.stop());
  return server;
}
