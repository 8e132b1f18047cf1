import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { IDLE_MOCK, withMock } from '../src/config/context.js';
import { type LoadContext, loadConfig } from '../src/config/load.js';
import { formatProblem } from '../src/config/problem.js';
import { PROVIDER_KINDS } from '../src/providers/registry.js';
import { exampleConfigs } from './tidy/example-configs.js';
import { findCycles } from './tidy/find-cycles.js';
import { readSourceFile, type SourceFile } from './tidy/source-file.js';

// The rules of the house (docs/architecture.md): `npm test` runs in the project's root.

/** Lower numbers may not import higher ones, and rooms with the same number not each other. */
const LAYERS: Readonly<Record<string, number>> = {
  codec: 0,
  observability: 0,
  config: 1,
  store: 1,
  dialects: 1,
  providers: 2,
  policy: 2,
  accounting: 2,
  mock: 2,
  gateway: 3,
  extproc: 4,
  admin: 4,
  envoy: 4,
  app: 5,
  cli: 6,
  main: 7,
};

/** Only extproc speaks gRPC. */
const GRPC_PACKAGES = /^(@grpc\/|protobufjs)/;
/** What a room must not know, besides higher layers. */
const FORBIDDEN_IMPORTS: Readonly<Record<string, RegExp>> = {
  codec: /^node:(fs|http|https|http2|net|process|child_process|timers)/,
  dialects: /^node:(fs|http|https|http2|net|process|child_process|timers)/,
  gateway: /^node:(fs|http|https|http2|net|process|child_process)/,
};
const FORBIDDEN_TEXT: Readonly<Record<string, RegExp>> = {
  codec: /\bDate\.now\(|\bprocess\.(env|exit|on)\b/,
  dialects: /\bDate\.now\(|\bprocess\.(env|exit|on)\b/,
  gateway: /\bprocess\.(env|exit|on)\b/,
};
/** Loaded by scripts/generate.mjs, or started as a program. */
const ENTRY_POINTS = new Set(['src/main.ts']);
const MOST_LINES = 400;
const MOST_PARAMETERS = 4;
const VAGUE_FILE_NAMES = /(^|[-.])(utils?|helpers?|common|managers?|impl|misc)([-.]|$)/i;
const SHORTENED_NAMES = ['cfg', 'opts', 'tmp', 'ctx', 'req', 'res', 'msg', 'err', 'cb'];
/** Folders of tests that look at the whole and mirror no room. */
const TESTS_OF_THE_WHOLE = ['contract', 'e2e', 'faults', 'scripts', 'servers'];

interface Generator {
  readonly file: string;
  readonly module: string;
}

interface GenerateScript {
  readonly generators: readonly Generator[];
  generate(options: { check: boolean }): Promise<readonly string[]>;
}

const tracked = git('ls-files', '--cached', '--others', '--exclude-standard').filter((file) => existsSync(file));
const typescript = tracked.filter((file) => file.endsWith('.ts')).map(readSourceFile);
const sources = typescript.filter((file) => file.path.startsWith('src/'));
const script: GenerateScript = await import(pathToFileURL(resolve('scripts/generate.mjs')).href);

function git(...args: string[]): string[] {
  return execFileSync('git', args, { encoding: 'utf8' }).split('\n').filter(Boolean);
}

/** `src/policy/keys/key-ring.ts` is in the room `policy`, `src/app.ts` in `app`. */
function roomOf(path: string): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
}

function violations(files: readonly SourceFile[], check: (file: SourceFile) => readonly string[]): readonly string[] {
  return files.flatMap((file) => check(file).map((what) => `${file.path}: ${what}`));
}

t.test('layers', async (t) => {
  const wrong = violations(sources, (file) => {
    const from = roomOf(file.path);
    const layer = LAYERS[from];
    if (layer === undefined) return [`the room ${from} is not in the table of layers`];
    return file.local
      .filter((path) => path.startsWith('src/'))
      .filter((path) => roomOf(path) !== from && (LAYERS[roomOf(path)] ?? 99) >= layer)
      .map((path) => `imports ${path}, which is not below it`);
  });
  t.same(wrong, []);
  const outside = violations(sources, (file) =>
    file.local.filter((path) => !path.startsWith('src/') && path !== 'scripts/envoy.json' && path.endsWith('.ts')),
  );
  t.same(outside, [], 'src imports nothing from tests');
});

t.test('import cycles', async (t) => {
  t.same(findCycles(new Map(typescript.map((file) => [file.path, file.local]))), []);
  t.same(findCycles(new Map(Object.entries({ a: ['b', 'c'], b: ['c'], c: ['b'], d: ['d'] }))), ['b → c → b', 'd → d']);
});

t.test('what a room does not know', async (t) => {
  const grpc = sources.filter((file) => roomOf(file.path) !== 'extproc');
  t.same(
    violations(grpc, (file) => file.imports.filter((name) => GRPC_PACKAGES.test(name))),
    [],
    'gRPC',
  );
  const imports = (file: SourceFile) => file.imports.filter((name) => FORBIDDEN_IMPORTS[roomOf(file.path)]?.test(name));
  t.same(violations(sources, imports), [], 'modules');
  const words = (file: SourceFile) => FORBIDDEN_TEXT[roomOf(file.path)]?.exec(file.text)?.slice(0, 1) ?? [];
  t.same(violations(sources, words), [], 'the clock and the process');
});

t.test('files', async (t) => {
  const scripts = tracked.filter((file) => file.endsWith('.mjs'));
  const long = [...typescript.map((file) => file.path), ...scripts].filter((file) => lineCount(file) > MOST_LINES);
  t.same(long, [], `at most ${MOST_LINES} lines`);
  t.same(
    violations(typescript, (file) => (file.hasDefaultExport ? ['default export'] : [])),
    [],
  );
  t.same(
    violations(typescript, (file) => (file.onlyReexports ? ['only re-exports'] : [])),
    [],
    'no barrels',
  );
  const vague = [...typescript.map((file) => file.path), ...scripts].filter((file) =>
    file.split('/').some((part) => VAGUE_FILE_NAMES.test(part.replace(/\.(test\.)?(ts|mjs)$/, ''))),
  );
  t.same(vague, [], 'a file is named for what it holds');
});

t.test('names and signatures', async (t) => {
  t.same(
    violations(sources, (file) => SHORTENED_NAMES.filter((name) => file.declared.has(name))),
    [],
    'whole words',
  );
  const long = (file: SourceFile) =>
    file.functions.filter((shape) => shape.parameters > MOST_PARAMETERS).map((shape) => shape.name);
  t.same(violations(sources, long), [], `at most ${MOST_PARAMETERS} parameters`);
});

t.test('no dead files', async (t) => {
  const generated = script.generators.map(({ module }) => module.replace(/^dist\//, '').replace(/\.js$/, '.ts'));
  const used = new Set([...ENTRY_POINTS, ...generated, ...sources.flatMap((file) => [...file.local, ...file.started])]);
  t.same(
    sources.map((file) => file.path).filter((path) => !used.has(path)),
    [],
    'imported by another source file',
  );
});

t.test('tests mirror src', async (t) => {
  const lost = typescript
    .map((file) => file.path)
    .filter((path) => path.startsWith('test/') && path.endsWith('.test.ts') && dirname(path) !== 'test')
    .filter((path) => !TESTS_OF_THE_WHOLE.includes(path.split('/')[1] ?? ''))
    .filter((path) => !existsSync(dirname(path).replace(/^test/, 'src')));
  t.same(lost, []);
});

t.test('nothing about this machine in the repository', async (t) => {
  // In pieces, so that this file does not find itself.
  const machine = ['/wo' + 'rk/', '/ro' + 'ot/', '/Us' + 'ers/', '/home/[a-z]+/'].join('|');
  const registries = ['registry\\.npm' + 'js', 'registry\\.yarn' + 'pkg', 'py' + 'pi\\.org', 'pythonhos' + 'ted'].join(
    '|',
  );
  const forbidden = new RegExp(`(^|[^\\w.~-])(${machine})|${registries}`, 'm');
  const found = tracked
    .filter((file) => !/\.(png|jpg|ico|woff2|gz|bin)$/.test(file) && !file.includes('/recordings/'))
    .flatMap((file) => {
      const match = forbidden.exec(readFileSync(file, 'utf8'));
      return match === null ? [] : [`${file}: ${match[0].trim()}`];
    });
  t.same(found, []);
});

t.test('packages', async (t) => {
  const manifest = readJson('package.json');
  const lock = readJson('package-lock.json');
  const sections = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
  const versions = sections.flatMap((section) => Object.entries(manifest[section] ?? {}));
  t.same(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    [],
    'exact versions',
  );
  t.notMatch(readFileSync('package-lock.json', 'utf8'), /"resolved"/, 'no registry addresses');
  for (const [name, version] of versions) t.equal(lock.packages[`node_modules/${name}`]?.version, version, name);
  // npm leaves out what it did not find when the lock file was made; `npm ci` then fails for everybody.
  const names = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, '')));
  const missing = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  t.same(
    missing.filter((name) => !names.has(name)),
    [],
    'the lock file has the packages of all platforms',
  );
});

t.test('generated files are current', async (t) => {
  for (const { file } of script.generators) t.ok(existsSync(file), `${file} exists`);
  t.same(await script.generate({ check: true }), [], 'npm run generate');
});

const ADDRESSES: Readonly<Record<string, string>> = { REDIS_URL: 'redis://store:6379' };

t.test('every example configuration loads', async (t) => {
  const pages = tracked.filter((file) => file === 'README.md' || /^docs\/.*\.(md|ya?ml)$/.test(file));
  const shipped = tracked.filter((file) => /^deploy\/.*\.ya?ml$/.test(file) && basename(file).startsWith('tollgate'));
  const examples = exampleConfigs([...pages, ...shipped]);
  t.ok(examples.length > 0, 'there are examples');
  const context: LoadContext = {
    kinds: withMock(PROVIDER_KINDS, IDLE_MOCK),
    env: new Proxy({}, { get: (_, name) => ADDRESSES[String(name)] ?? `example-${String(name)}-0123456789abcdef` }),
    readFile: () => '-----BEGIN EXAMPLE-----',
    now: () => Date.parse('2026-12-01T00:00:00Z'),
  };
  for (const { name, text } of examples) {
    const result = loadConfig({ path: join('/etc/tollgate', basename(name)), text }, context);
    t.same('problems' in result ? result.problems.map(formatProblem) : [], [], name);
  }
});

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function readJson(file: string): Manifest & { readonly packages: Record<string, Manifest> } {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function lineCount(file: string): number {
  return readFileSync(file, 'utf8').split('\n').length - 1;
}
