import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EnvoyLog } from '../../src/accounting/envoy-log.js';
import { createLogRotation, type LogRotationOptions } from '../../src/envoy/log-rotation.js';
import { temporaryDirectory } from '../accounting/samples.js';

interface Setting {
  readonly access: string;
  readonly attempts: string;
  readonly problems: unknown[];
  /** As Envoy does it. */
  reopened(): number;
}

function setting(t: Parameters<typeof temporaryDirectory>[0], options: Partial<LogRotationOptions> = {}) {
  const directory = temporaryDirectory(t);
  const paths = [join(directory, 'access.jsonl'), join(directory, 'attempts.jsonl')] as const;
  const [access, attempts] = paths;
  const problems: unknown[] = [];
  let opened = 0;
  const reopen = async () => {
    opened += 1;
    for (const path of paths) appendFileSync(path, '');
  };
  const onProblem = (_message: string, error: unknown) => problems.push(error);
  const rotation = createLogRotation({ paths, reopen, onProblem, maxBytes: 10, keep: 2, ...options });
  const found: Setting = { access, attempts, problems, reopened: () => opened };
  return { ...found, rotation };
}

t.test('by size, each log for itself, and so many stay', async (t) => {
  const { rotation, access, attempts, reopened } = setting(t);
  t.same(await rotation.check(), [], 'no logs yet');
  writeFileSync(access, 'x'.repeat(10));
  writeFileSync(attempts, 'y'.repeat(11));
  t.same(await rotation.check(), [attempts]);
  t.equal(reopened(), 2, 'asked whether it can be asked, and asked');
  t.equal(readFileSync(`${attempts}.1`, 'utf8'), 'y'.repeat(11));
  for (const letter of ['1', '2', '3', '4']) {
    writeFileSync(access, letter.repeat(20));
    t.same(await rotation.check(), [access]);
  }
  t.match([readFileSync(`${access}.1`, 'utf8'), readFileSync(`${access}.2`, 'utf8')], [/^4+$/, /^3+$/]);
  t.notOk(existsSync(`${access}.3`));
  t.equal(readFileSync(access, 'utf8'), '');
  t.same(await rotation.check(), [], 'a fresh log stays');
  t.equal(reopened(), 10, 'nobody is asked for nothing');
});

t.test('an Envoy that cannot be asked keeps its logs; told once; half a rotation is ended', async (t) => {
  let reachable = false;
  let opened = 0;
  const { rotation, access, problems } = setting(t, {
    reopen: async () => {
      opened += 1;
      if (!reachable) throw new Error('refused');
      appendFileSync(access, '');
    },
  });
  writeFileSync(access, 'x'.repeat(20));
  for (let at = 0; at < 3; at += 1) t.same(await rotation.check(), []);
  t.equal(opened, 3);
  t.equal(problems.length, 1);
  t.equal(readFileSync(access, 'utf8'), 'x'.repeat(20));
  reachable = true;
  t.same(await rotation.check(), [access]);
  t.equal(readFileSync(`${access}.1`, 'utf8'), 'x'.repeat(20));
  renameSync(access, `${access}.1`);
  await rotation.check();
  t.ok(existsSync(access), 'somebody had renamed it and died');
  t.equal(opened, 6);
});

t.test('nothing is removed while somebody looks for a line', async (t) => {
  let looking = true;
  const { rotation, access } = setting(t, { mayRemove: () => !looking });
  for (const letter of ['1', '2', '3']) {
    writeFileSync(access, letter.repeat(20));
    await rotation.check();
  }
  t.match(readFileSync(access, 'utf8'), /^3+$/, 'it grows instead');
  t.match(readFileSync(`${access}.2`, 'utf8'), /^1+$/);
  looking = false;
  t.same(await rotation.check(), [access]);
  t.match(readFileSync(`${access}.2`, 'utf8'), /^2+$/);
});

t.test('starts and stops', async (t) => {
  const rotated = Promise.withResolvers<void>();
  const { rotation, access } = setting(t, {
    checkMs: 5,
    reopen: async () => {
      if (existsSync(`${access}.1`)) rotated.resolve();
    },
  });
  writeFileSync(access, 'x'.repeat(20));
  rotation.start();
  // A rotation keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  await rotated.promise;
  clearInterval(alive);
  rotation.stop();
  t.notOk(existsSync(access));
});

t.test(
  'words about an attempt are found on both sides of a rotation, and while the log is not there anew',
  async (t) => {
    const { access, attempts } = setting(t);
    const time = new Date().toISOString();
    const end = (id: string, connection: number) =>
      `${JSON.stringify({ time, id, connection, status: 200, flags: '-', attempts: 2 })}\n`;
    const attempt = (connection: number) =>
      `${JSON.stringify({ time, connection, cluster: 'provider-p', status: 0, flags: 'UF', failure: 'refused', ms: 1 })}\n`;
    const log = new EnvoyLog({ accessLogPath: access, attemptLogPath: attempts, patienceMs: 60_000 }, () =>
      performance.now(),
    );
    t.teardown(() => log.close());
    const wanted = [{ cluster: 'provider-p', startedAt: Date.parse(time) }];
    const ask = (id: string) => new Promise<unknown>((resolve) => log.ask({ id, attempts: wanted }, resolve));
    const words = (id: string) => ({ end: { id }, attempts: [{ failure: 'refused' }] });
    // Rotated before anybody asked.
    writeFileSync(`${access}.1`, end('a', 1));
    writeFileSync(`${attempts}.1`, attempt(1));
    t.match(await ask('a'), words('a'), 'not there anew');
    writeFileSync(access, end('b', 2));
    writeFileSync(attempts, attempt(2));
    t.match(await ask('b'), words('b'));
    // Rotated while somebody waits; the last lines go to the old files.
    const waiting = Promise.all([ask('c'), ask('d')]);
    t.match(await ask('b'), words('b'), 'both logs are open');
    renameSync(access, `${access}.2`);
    renameSync(attempts, `${attempts}.2`);
    writeFileSync(attempts, attempt(3));
    writeFileSync(access, end('c', 3));
    appendFileSync(`${attempts}.2`, attempt(4));
    appendFileSync(`${access}.2`, end('d', 4));
    t.match(await waiting, [words('c'), words('d')]);
  },
);
