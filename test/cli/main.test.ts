import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { bundledNode, isSupported } from '../../src/cli/node-version.js';
import { temporaryDirectory } from './temporary-directory.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Runs the whole command line, as a user does. */
async function tollgate(words: readonly string[], place: { directory?: string; env?: Record<string, string> } = {}) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: place.directory ?? process.cwd(),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

t.test('exit codes: 0 done, 1 a problem, 2 not understood', async (t) => {
  const help = await tollgate(['--help']);
  t.equal(help.code, 0);
  for (const name of [
    'up',
    'serve',
    'envoy',
    'check',
    'print-config',
    'schema',
    'import',
    'keys',
    'usage',
    'mock',
    'run',
  ]) {
    t.match(help.stdout, new RegExp(`^  ${name}\\b`, 'm'), name);
  }
  t.match(help.stdout, /Examples:/);
  t.match(await tollgate(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  t.match(await tollgate(['serv']), { code: 2, stderr: /unknown command 'serv'\s+\(Did you mean serve\?\)/ });
  t.match(await tollgate(['up', '--confg', 'x']), { code: 2, stderr: /--config/ });
  t.match(await tollgate(['up', '--grace', 'long']), { code: 2, stderr: /a duration such as 30s/ });
  t.match(await tollgate([]), { code: 2, stderr: /Usage: tollgate/ });
  t.match(await tollgate(['run']), { code: 2 });
});

t.test('all mistakes of a config file stop serve and up, wherever --config stands', async (t) => {
  const directory = temporaryDirectory(t, { 'bad.yaml': 'providers: { mock: { kind: mokc } }\nbogus: 1\n' });
  for (const words of [
    ['serve', '--config', 'bad.yaml'],
    ['--config', 'bad.yaml', 'up'],
    ['up', '-c', 'bad.yaml'],
  ]) {
    const { code, stderr, stdout } = await tollgate(words, { directory });
    t.equal(code, 1);
    t.match(stderr, /2 mistakes:\n.*bad\.yaml:1:\d+: .*did you mean "mock".*\n.*bad\.yaml:2:1: .*bogus/);
    t.equal(stdout, '');
  }
  for (const words of [['check'], ['print-config'], ['usage'], ['keys', 'list'], ['ledger', 'verify']]) {
    const { code, stderr, stdout } = await tollgate([...words, '-c', 'bad.yaml'], { directory });
    t.equal(code, 1, words.join(' '));
    t.match(stderr + stdout, /bad\.yaml:2:1: .*bogus/, words.join(' '));
  }
  t.match(await tollgate(['up'], { directory, env: { TOLLGATE_CONFIG: 'none.yaml' } }), {
    code: 1,
    stderr: /none\.yaml/,
  });
  t.notOk(existsSync(join(directory, 'run')), 'nothing was begun');
});

t.test('run needs a key where the config file has its own', async (t) => {
  const config = 'providers: { mock: { kind: mock } }\nkeys: [{ id: a, secret: 0123456789abcdef }]\n';
  const directory = temporaryDirectory(t, { 'tollgate.yaml': config });
  t.match(await tollgate(['run', '--', 'true'], { directory }), { code: 1, stderr: /--key SECRET/ });
});

t.test('keys', async (t) => {
  const directory = temporaryDirectory(t);
  const made = await tollgate([
    'keys',
    'create',
    '--fixed',
    '--id',
    'web',
    '--label',
    'team=search',
    '--model',
    'mock/*',
    '--endpoint',
    '/v1/chat/*',
    '--expires',
    '2099-01-01',
    '--metadata',
    'owner=ann',
  ]);
  t.equal(made.code, 0);
  const secret = /^sk-tg-\S+$/m.exec(made.stdout)?.[0] ?? '';
  const yaml = made.stdout.slice(made.stdout.indexOf('keys:'));
  writeFileSync(join(directory, 'tollgate.yaml'), `providers: { mock: { kind: mock } }\n${yaml}`);
  t.notMatch(yaml, secret, 'the file gets the hash alone');
  const listed = await tollgate(['keys', 'list'], { directory });
  t.match(
    listed.stdout,
    /^ID +SOURCE +STATE +LABELS +MODELS +EXPIRES\nweb +config +active +team=search +mock\/\* +2099-01-01T00:00:00\.000Z\n$/,
  );
  const json = await tollgate(['keys', 'list', '--format', 'json'], { directory });
  t.match(JSON.parse(json.stdout), [
    {
      id: 'web',
      source: 'config',
      labels: { team: 'search' },
      models: ['mock/*'],
      endpoints: ['/v1/chat/*'],
      metadata: { owner: 'ann' },
    },
  ]);
});

t.test('the Node that is needed', async (t) => {
  for (const version of ['22.13.0', '22.20.1', '24.0.0', '100.0.0']) t.ok(isSupported(version), version);
  for (const version of ['20.19.0', '22.12.9', '18.0.0', '9.99.0']) t.notOk(isSupported(version), version);
  const directory = temporaryDirectory(t);
  const deep = join(directory, 'dist', 'src', 'cli');
  mkdirSync(deep, { recursive: true });
  const bin = join(directory, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'node'), '');
  t.equal(bundledNode(deep), join(bin, 'node'));
  // What an old Node reads before it hands over must be plain enough for it.
  const source = readFileSync(fileURLToPath(new URL('../../src/cli/node-version.js', import.meta.url)), 'utf8');
  t.notMatch(source, /from '(?!node:)/);
});
