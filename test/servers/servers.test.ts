import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import pg from 'pg';
import t from 'tap';
import { missing } from './binaries.js';
import { startPostgres } from './postgres.js';
import { startRedis } from './redis.js';

/** Settles before `milliseconds` have passed? */
async function answersWithin(milliseconds: number, answer: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  void answer.then(
    () => resolve(true),
    () => resolve(true),
  );
  return promise.finally(() => clearTimeout(timer));
}

for (const kind of ['redis', 'valkey'] as const) {
  t.test(kind, { skip: missing(kind) }, async (t) => {
    const server = await startRedis({ kind, appendOnly: true });
    t.teardown(() => server.stop());
    const client = new Redis(server.url, { retryStrategy: () => 10 });
    t.teardown(() => client.disconnect());
    client.on('error', () => undefined);
    t.equal(await client.set('a', '1'), 'OK');

    server.pause();
    const waiting = client.get('a');
    t.notOk(await answersWithin(100, waiting), 'paused: no answer');
    server.resume();
    t.equal(await waiting, '1', 'resumed: the answer comes');

    server.pause();
    await server.kill();
    await server.start();
    t.equal(await client.get('a'), '1', 'killed while paused: what was written is there');
    await server.restartEmpty();
    t.equal(await client.get('a'), null, 'restarted empty');
  });
}

t.test('a cluster of one', { skip: missing('redis') }, async (t) => {
  const server = await startRedis({ cluster: true });
  t.teardown(() => server.stop());
  const client = new Redis(server.url);
  t.teardown(() => client.disconnect());
  t.match(await client.cluster('INFO'), /cluster_state:ok/);
  t.equal(await client.set('{a}b', '1'), 'OK');
  await t.rejects(client.mset('a', '1', 'b', '2'), /CROSSSLOT/);
});

t.test('postgres', { skip: missing('postgres') }, async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.stop());
  const url = await server.createDatabase();
  t.not(url, await server.createDatabase());
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('CREATE TABLE a AS SELECT 1 AS b');

  server.pause();
  const waiting = client.query('SELECT b FROM a');
  t.notOk(await answersWithin(100, waiting), 'paused: no answer');
  server.resume();
  t.same((await waiting).rows, [{ b: 1 }], 'resumed: the answer comes');

  server.pause();
  await server.kill();
  await server.start();
  const again = new pg.Client({ connectionString: url });
  await again.connect();
  t.same((await again.query('SELECT b FROM a')).rows, [{ b: 1 }], 'killed while paused: data stays');
  await again.end();
});

t.test('a server dies with the test that started it', { skip: missing('redis') }, async (t) => {
  const module = JSON.stringify(new URL('./redis.js', import.meta.url).href);
  const code = `const { startRedis } = await import(${module});
    const server = await startRedis(); console.log(server.pid()); server.pause(); setInterval(() => {}, 1000);`;
  const test = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(test.stdout, 'data');
  const pid = Number(line);
  t.ok(isRunning(pid));
  test.kill('SIGKILL');
  await t.resolves(gone(pid));
});

async function gone(pid: number): Promise<void> {
  // Nobody tells when another's child has ended; the file's time limit ends the wait.
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

function isRunning(pid: number): boolean {
  try {
    // A dead one that its new parent has not looked at yet is gone too.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
