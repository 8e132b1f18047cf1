import t from 'tap';
import { missing } from '../../servers/binaries.js';
import { asking, counter, MINUTE } from '../ask.js';
import { runCounterCases, START } from '../counter-cases.js';
import { checkAgainstModel, LONG } from '../counter-property.js';
import { connectStore, startServer } from './connect-store.js';

const SERVERS = [
  { name: 'redis', kind: 'redis' },
  { name: 'valkey', kind: 'valkey' },
  { name: 'a cluster', kind: 'redis', cluster: true },
] as const;

for (const { name, ...options } of SERVERS) {
  const cluster = 'cluster' in options;
  t.test(name, { skip: missing(options.kind) }, async (t) => {
    const server = await startServer(t, options);
    await t.test('cases of every store', async (t) => {
      await runCounterCases(t, async (now) => {
        const { store } = await connectStore(t, server.url, { now, cluster });
        return { store, close: () => store.close() };
      });
    });

    await t.test('case 112: anything in any order, against a model', async (t) => {
      const clock = { now: START };
      const { store } = await connectStore(t, server.url, { now: () => clock.now, cluster });
      await t.resolves(checkAgainstModel(store, clock, { runs: cluster ? 10 : 60, lengths: LONG }));
    });

    await t.test('case 62: four processes, one limit', async (t) => {
      const options = { prefix: 'shared', cluster };
      const connected = await Promise.all([1, 2, 3, 4].map(() => connectStore(t, server.url, options)));
      const asks = connected.map(({ store }) => asking(store));
      const counters = [counter('cost', { kind: 'total' }, 100), counter('requests', MINUTE, 10_000)];
      const results = await Promise.all(
        Array.from({ length: 1000 }, (_, index) => asks[index % 4]?.hold(`r${index}`, counters, { cost: 1 })),
      );
      const held = results.flatMap((result, index) => (result?.kind === 'held' ? [index] : []));
      t.equal(held.length, 100);
      t.equal(results.filter((result) => result?.kind === 'refused').length, 900);
      // By another process than the one that held.
      await Promise.all(held.map((index) => asks[(index + 1) % 4]?.settle(`r${index}`, { cost: index % 2 })));
      const [state] = (await asks[0]?.read(...counters)) ?? [];
      t.match(state, { used: BigInt(held.filter((index) => index % 2 === 1).length), held: 0n });
    });
  });
}
