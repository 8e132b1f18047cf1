import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import t from 'tap';

// The scripts are not compiled, so they are loaded by path from the project's root.
const load = (name: string) => import(pathToFileURL(resolve('scripts', name)).href);
const { dependenciesAreCurrent, isRecentEnough }: Dependencies = await load('dependencies.mjs');
const { callersDirectory }: { callersDirectory(env: Record<string, string>): string } = await load('tollgate.mjs');
const { describeFailure }: { describeFailure(run: object): string } = await load('failures.mjs');
const projectModule = pathToFileURL(resolve('scripts/project.mjs')).href;

interface Dependencies {
  dependenciesAreCurrent(directory: string): boolean;
  isRecentEnough(version: string): boolean;
}

t.test('dependencies are compared by content', async (t) => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/other-platform': { version: '2.0.0', optional: true },
  };
  const cases = [
    { name: 'all there', installed: wanted, current: true },
    {
      name: 'an optional one is not for this platform',
      installed: without(wanted, 'node_modules/other-platform'),
      current: true,
    },
    { name: 'one is missing', installed: without(wanted, 'node_modules/a'), current: false },
    { name: 'another version', installed: { ...wanted, 'node_modules/a': { version: '1.0.1' } }, current: false },
    {
      name: 'another version of an optional one',
      installed: { ...wanted, 'node_modules/other-platform': { version: '2.0.1', optional: true } },
      current: false,
    },
    { name: 'nothing installed', installed: null, current: false },
    { name: 'an interrupted installation', installed: 'half a fi', current: false },
  ];
  for (const { name, installed, current } of cases) {
    const directory = t.testdir({ 'package-lock.json': JSON.stringify({ packages: wanted }), node_modules: {} });
    const file = join(directory, 'node_modules/.package-lock.json');
    const written = typeof installed === 'string' ? installed : JSON.stringify({ packages: installed });
    if (installed !== null) writeFileSync(file, written);
    t.equal(dependenciesAreCurrent(directory), current, name);
  }
});

function without(packages: Record<string, object>, path: string): Record<string, object> {
  return Object.fromEntries(Object.entries(packages).filter(([name]) => name !== path));
}

t.test('which Node is recent enough', async (t) => {
  for (const version of ['22.13.0', '22.20.1', '24.0.0', '30.1.2']) t.ok(isRecentEnough(version), version);
  for (const version of ['20.20.2', '22.12.9', '18.0.0']) t.notOk(isRecentEnough(version), version);
});

t.test('commands work where the user is', async (t) => {
  t.equal(callersDirectory({ npm_lifecycle_event: 'start', INIT_CWD: '/somewhere' }), '/somewhere');
  t.equal(callersDirectory({ npm_lifecycle_event: 'tollgate', INIT_CWD: '/somewhere' }), '/somewhere');
  t.equal(
    callersDirectory({ npm_lifecycle_event: 'test', INIT_CWD: '/somewhere' }),
    process.cwd(),
    'inherited from npm test',
  );
  t.equal(callersDirectory({}), process.cwd());
});

/** Starts a script that becomes `node -e code`, as `npm start` becomes the gateway. */
function startBecoming(code: string) {
  const script = `import { become } from ${JSON.stringify(projectModule)};
    process.exitCode = await become(process.execPath, ['-e', ${JSON.stringify(code)}]);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, exited: once(child, 'exit') };
}

t.test('the exit code of the program is ours', async (t) => {
  t.same(await startBecoming('process.exit(7)').exited, [7, null]);
  t.same(await startBecoming('').exited, [0, null]);
  t.same(
    await startBecoming('process.kill(process.pid, "SIGKILL")').exited,
    [137, null],
    '128 and the number of the signal',
  );
});

t.test('signals are passed on, once', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const code = `let seen = 0;
      process.on('${signal}', () => { seen += 1; setTimeout(() => process.exit(10 + seen), 100); });
      setInterval(() => {}, 1000); console.log('ready');`;
    const { child, exited } = startBecoming(code);
    await once(child.stdout, 'data');
    child.kill(signal);
    t.same(await exited, [11, null], signal);
  }
});

t.test('a failure says what, where and why', async (t) => {
  const fails = [
    {
      name: 'sum',
      fullname: 'a file > adds > sum',
      diag: { at: { fileName: 'a.test.ts', lineNumber: 4 }, diff: '-1\n+2' },
    },
  ];
  const described = describeFailure({ fails, stderr: 'a note\n', end: { exitCode: 1, signal: null } });
  for (const part of ['not ok: a file > adds > sum', 'at a.test.ts:4', '-1', '+2', 'a note'])
    t.ok(described.includes(part), part);
  const dead = describeFailure({ fails: [], stderr: '', end: { exitCode: 13, signal: null } });
  t.match(dead, /exit code 13/);
  t.match(describeFailure({ fails: [], stderr: '', end: { exitCode: null, signal: 'SIGKILL' } }), /ended by SIGKILL/);
});

t.test('the test runner ends with one line to count by', async (t) => {
  const cases = [
    { path: 'test/there/is/no/such/file', code: 1, last: '0 passed, 1 failed, 0 skipped' },
    { path: 'test/config/golden.test.ts', code: 0, last: /^\d+ passed, 0 failed, 0 skipped$/ },
  ];
  for (const { path, code, last } of cases) {
    const child = spawn(process.execPath, ['scripts/run-tests.mjs', path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    t.equal(exitCode, code);
    t.match(output.trimEnd().split('\n').at(-1), last);
  }
});
