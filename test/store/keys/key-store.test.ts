import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import pg from 'pg';
import t, { type Test } from 'tap';
import type { KeyStore } from '../../../src/store/keys/key-store.js';
import { type KeyStoreSettings, openKeyStore } from '../../../src/store/keys/open-key-store.js';
import { eventually } from '../../eventually.js';
import { missing, type ServerKind } from '../../servers/binaries.js';
import { startPostgres } from '../../servers/postgres.js';
import { startRedis } from '../../servers/redis.js';
import { Memory, sampleKey } from './sample-key.js';

interface Place {
  readonly settings: KeyStoreSettings;
  /** As if nothing had ever been stored. */
  empty(): Promise<void>;
  /** Makes it unreachable; null where that cannot happen. */
  readonly outage: { begin(): Promise<void>; end(): Promise<void> } | null;
  /** Makes it say nothing; null where that cannot happen. */
  readonly silence: { pause(): void; resume(): void } | null;
  close(): Promise<void>;
}

interface Implementation {
  readonly skip: false | string;
  open(t: Test): Promise<Place>;
}

const IMPLEMENTATIONS: Readonly<Record<string, Implementation>> = {
  file: { skip: false, open: filePlace },
  redis: { skip: missing('redis'), open: () => redisPlace({ kind: 'redis', cluster: false }) },
  'valkey cluster': { skip: missing('valkey'), open: () => redisPlace({ kind: 'valkey', cluster: true }) },
  postgres: { skip: missing('postgres'), open: postgresPlace },
};

async function filePlace(t: Test): Promise<Place> {
  const directory = t.testdir();
  const empty = async (): Promise<void> => rmSync(`${directory}/keys.log`, { force: true });
  return { settings: { kind: 'file', directory }, empty, outage: null, silence: null, close: async () => {} };
}

async function postgresPlace(): Promise<Place> {
  const server = await startPostgres();
  const empty = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query('drop table if exists tollgate_keys, tollgate_keys_head');
    await client.end();
  };
  return {
    settings: { kind: 'postgres', url: server.url, timeoutMs: 1000 },
    empty,
    outage: { begin: () => server.kill(), end: () => server.start() },
    silence: server,
    close: () => server.stop(),
  };
}

async function redisPlace(options: { kind: ServerKind; cluster: boolean }): Promise<Place> {
  const server = await startRedis({ ...options, appendOnly: true });
  return {
    settings: { kind: 'redis', url: server.url, cluster: options.cluster, prefix: 'tollgate', timeoutMs: 1000 },
    async empty() {
      const client = new Redis(server.url);
      await client.flushall();
      client.disconnect();
    },
    outage: { begin: () => server.kill(), end: () => server.start() },
    silence: server,
    close: () => server.stop(),
  };
}

/** A process with its store and what it knows. */
async function join(t: Test, settings: KeyStoreSettings): Promise<{ store: KeyStore; memory: Memory }> {
  const store = await openKeyStore(settings);
  const memory = new Memory();
  await store.follow(memory);
  t.teardown(() => store.close());
  return { store, memory };
}

// Most of the time goes by waiting: the implementations wait together.
t.jobs = 4;

for (const [name, { skip, open }] of Object.entries(IMPLEMENTATIONS)) {
  t.test(name, { skip }, async (t) => {
    const place = await open(t);
    t.teardown(() => place.close());
    const { settings } = place;
    const one = await join(t, settings);
    const two = await join(t, settings);

    t.test('what one process stores all learn, within a second', async (t) => {
      t.same(one.memory.state, { trouble: null, loaded: true });
      const key = sampleKey('aaaaaaaa');
      t.same(await one.store.put(key), { kind: 'stored' });
      t.same(one.memory.keys.get(key.id), key);
      const began = performance.now();
      await eventually('the other process knows the key', () => two.memory.keys.has(key.id));
      t.comment(`seen after ${Math.round(performance.now() - began)} ms`);
      t.same(two.memory.keys.get(key.id), key);
      t.same((await join(t, settings)).memory.keys.get(key.id), key, 'after a restart too');
    });

    t.test('who asks for a look learns at once', async (t) => {
      for (const id of ['look1', 'look2', 'look3']) {
        await one.store.put(sampleKey(id));
        await Promise.all([two.store.look(), two.store.look()]);
        t.ok(two.memory.keys.has(id));
      }
    });

    t.test('a revision only on top of the one before', async (t) => {
      const key = sampleKey('aaaaaaaa');
      t.same(await two.store.put(key), { kind: 'conflict' }, 'the id is taken');
      t.same(await two.store.put({ ...key, revision: 3 }), { kind: 'conflict' });
      t.same(await two.store.put(sampleKey('zzzzzzzz', { revision: 2 })), { kind: 'conflict' }, 'of nothing');
      t.same(await two.store.put({ ...key, revision: 2, revoked: 5 }), { kind: 'stored' });
      t.same(await one.store.put({ ...key, revision: 2, labels: {} }), { kind: 'conflict' });
      t.equal(one.memory.keys.get(key.id)?.revoked, 5, 'the loser has learned what won');
    });

    t.test('writers that meet: one wins each revision, all agree', async () => {
      const ids = fc.constantFrom('b1', 'b2', 'b3');
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(ids, fc.boolean()), { minLength: 2, maxLength: 12 }), async (writes) => {
          run += 1;
          const results = await Promise.all(
            writes.map(async ([id, first], index) => {
              const { store, memory } = first ? one : two;
              const full = `${id}-${run}`;
              const revision = (memory.keys.get(full)?.revision ?? 0) + 1;
              const { kind } = await store.put(sampleKey(full, { revision, changedBy: `writer ${index}` }));
              return { kind, full, revision };
            }),
          );
          for (const id of new Set(results.map((result) => result.full))) {
            const stored = results.filter((result) => result.full === id && result.kind === 'stored');
            if (stored.length !== 1) throw new Error(`${stored.length} writers won revision 1 of ${id}`);
            const same = () =>
              JSON.stringify(one.memory.keys.get(id)) === JSON.stringify(two.memory.keys.get(id)) &&
              one.memory.keys.has(id);
            await eventually(`both know the same ${id}`, same);
          }
        }),
        { numRuns: 8 },
      );
    });

    t.test('many keys come in small pieces', async (t) => {
      const ids = Array.from({ length: 1100 }, (_, index) => `many-${index}`);
      await Promise.all(ids.map((id, index) => (index % 2 ? one : two).store.put(sampleKey(id))));
      await eventually('all are known', () => ids.every((id) => one.memory.keys.has(id)));
      const { memory } = await join(t, settings);
      t.equal(memory.keys.size, one.memory.keys.size);
      t.ok(memory.largestPiece <= 1000, `at most ${memory.largestPiece} at once`);
      t.same(memory.problems, []);
    });

    const { outage } = place;
    if (outage) {
      t.test('unreachable: what is known stays, changes are refused, then all is read again', async (t) => {
        await outage.begin();
        const before = one.memory.keys.size;
        const key = sampleKey('outage01');
        t.equal((await one.store.put(key)).kind, 'unavailable');
        t.match(one.memory.state, { trouble: /cannot be reached/, loaded: true });
        t.notMatch(one.memory.state.trouble ?? '', /postgres@|redis:\/\//, 'no address, no password');
        const late = await join(t, settings);
        t.match(late.memory.state, { trouble: /cannot be reached/, loaded: false }, 'following does not wait for it');
        t.equal(one.memory.keys.size, before);
        await outage.end();
        await eventually('the late process has read everything', () => late.memory.state.loaded);
        t.same(late.memory.keys, one.memory.keys);
        t.equal((await one.store.put(key)).kind, 'stored');
        t.same(one.memory.state, { trouble: null, loaded: true });
        await eventually('the late process follows', () => late.memory.keys.has(key.id));
      });
    }

    const { silence } = place;
    if (silence) {
      t.test('silent: a change is refused in bounded time, and what became of it is learned later', async (t) => {
        silence.pause();
        t.teardown(() => silence.resume());
        const key = sampleKey('silence1');
        const began = performance.now();
        t.equal((await one.store.put(key)).kind, 'unavailable');
        t.ok(performance.now() - began < 10_000);
        t.match(one.memory.state, { trouble: /cannot be reached/ });
        silence.resume();
        await eventually('both follow again', () => !one.memory.state.trouble && !two.memory.state.trouble);
        const { kind } = await one.store.put(key);
        t.ok(kind === 'stored' || kind === 'conflict', kind);
        await eventually('both know it', () => one.memory.keys.has(key.id) && two.memory.keys.has(key.id));
        t.same(one.memory.keys.get(key.id), two.memory.keys.get(key.id));
      });
    }

    t.test('emptied under living processes: they write back what they know', async (t) => {
      const revoked = sampleKey('aaaaaaaa', { revision: 2, revoked: 5 });
      await eventually('both know all', () => one.memory.keys.size === two.memory.keys.size);
      await place.empty();
      await eventually('somebody noticed', () => one.memory.problems.concat(two.memory.problems).length > 0);
      t.match(one.memory.problems.concat(two.memory.problems)[0], /had lost \d+ keys: written back/);
      let newcomer = await join(t, settings);
      await eventually('a newcomer finds everything', async () => {
        newcomer = await join(t, settings);
        return newcomer.memory.keys.size === one.memory.keys.size;
      });
      t.match(newcomer.memory.keys.get('aaaaaaaa'), { revision: 2, revoked: revoked.revoked }, 'revoked stays revoked');
    });
  });
}
