import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import {
  connectRedisCounters,
  type RedisCounterOptions,
  type RedisCounters,
} from '../../../src/store/redis/redis-counters.js';
import { missing } from '../../servers/binaries.js';
import { type RedisServer, startRedis } from '../../servers/redis.js';
import { runCounterCases, START } from '../counter-cases.js';
import { checkAgainstModel } from '../counter-property.js';

let stores = 0;

/** A store that has been told an empty ledger. */
async function connectStore(server: RedisServer, options: Partial<RedisCounterOptions> = {}): Promise<RedisCounters> {
  stores += 1;
  const ready = Promise.withResolvers<void>();
  const store = connectRedisCounters({
    url: server.url,
    cluster: false,
    prefix: `test${stores}`,
    timeoutMs: 5000,
    processId: `process${stores}`,
    onProblem: () => undefined,
    onEmpty: () =>
      store.seed({ source: `process${stores}`, used: new Map(), holds: new Map() }, (error) => {
        if (error === null) ready.resolve();
      }),
    ...options,
  });
  if (options.onEmpty === undefined) await ready.promise;
  return store;
}

async function started(t: Test, options: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
  const server = await startRedis(options);
  t.teardown(() => server.stop());
  return server;
}

for (const kind of ['redis', 'valkey'] as const) {
  t.test(`cases of every store: ${kind}`, { skip: missing(kind) }, async (t) => {
    const server = await started(t, { kind });
    await runCounterCases(t, async (now) => {
      const store = await connectStore(server, { now });
      return { store, close: () => store.close() };
    });
  });
}

t.test('cases of every store: a cluster', { skip: missing('redis') }, async (t) => {
  const server = await started(t, { cluster: true });
  await runCounterCases(t, async (now) => {
    const store = await connectStore(server, { now, cluster: true });
    return { store, close: () => store.close() };
  });
});

for (const kind of ['redis', 'valkey'] as const) {
  t.test(`anything in any order, against a model: ${kind}`, { skip: missing(kind) }, async (t) => {
    const server = await started(t, { kind });
    const clock = { now: START };
    const store = await connectStore(server, { now: () => clock.now });
    t.teardown(() => store.close());
    await t.resolves(checkAgainstModel(store, clock, 60));
  });
}

void Redis;
