import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { createMemoryCounters } from '../../../src/store/memory/memory-counters.js';
import { connectRedisCounters, type RedisCounters } from '../../../src/store/redis/redis-counters.js';
import { missing } from '../../servers/binaries.js';
import { type RedisServer, startRedis } from '../../servers/redis.js';
import { ADMISSION_CASES, Gateways } from './admission-cases.js';
import { bound, limitRule, TOTAL } from './sample-limits.js';

const GATEWAYS = 4;

/** The store of one gateway process, which has an empty ledger. */
async function connect(server: RedisServer, processId: string): Promise<RedisCounters> {
  const ready = Promise.withResolvers<void>();
  const store = connectRedisCounters({
    url: server.url,
    cluster: false,
    prefix: 'limits',
    timeoutMs: 20_000,
    processId,
    onProblem: () => undefined,
    onEmpty: () =>
      store.seed({ source: processId, used: new Map(), holds: new Map() }, (error) => {
        if (error === null) ready.resolve();
      }),
  });
  await ready.promise;
  return store;
}

t.test('case 62: several gateways on one Redis', { skip: missing('redis') }, async (t) => {
  const server = await startRedis({ appendOnly: true });
  t.teardown(() => server.stop());
  const names = Array.from({ length: GATEWAYS }, (_, index) => `gateway ${index}`);
  const stores = await Promise.all(names.map((name) => connect(server, name)));
  t.teardown(() => Promise.all(stores.map((store) => store.close())));
  for (const { name, rules, run, expected } of ADMISSION_CASES)
    t.strictSame(await run(new Gateways(stores, rules())), expected, name);

  await t.test('case 64: while it is down, and afterwards', async (t) => {
    const fallback = { counters: createMemoryCounters({ now: Date.now }), processes: () => GATEWAYS };
    const soft = [limitRule('soft', { cost: bound(40, TOTAL), hard: false })];
    const gateway = new Gateways(stores.slice(0, 1), soft, { fallback });
    const hard = new Gateways(stores.slice(0, 1), [limitRule('hard', { cost: bound(40, TOTAL) })], { fallback });
    for (const asked of await gateway.askAtOnce(5)) asked.settle(1);
    await gateway.rows();
    await server.kill();
    // The connection notices by itself; what is asked before waits for its answer.
    const refused = await hard.askAtOnce(3);
    t.same(
      refused.map(({ verdict }) => verdict.kind === 'refused' && verdict.refusal.code),
      ['limits_unavailable', 'limits_unavailable', 'limits_unavailable'],
    );
    const local = await gateway.askAtOnce(20, { cost: 2 });
    t.equal(local.filter(({ verdict }) => verdict.kind === 'held').length, 5, '40 ÷ 4, two each');
    for (const { verdict, settle } of local) if (verdict.kind === 'held') settle(2);
    await server.start();
    const used = async (): Promise<bigint | undefined> => (await gateway.rows())[0]?.state.used;
    while ((await used()) !== 15n) await pause(20);
    const after = await gateway.askAtOnce(30);
    t.equal(after.filter(({ verdict }) => verdict.kind === 'held').length, 25, 'what was used meanwhile has counted');
  });
});
