// Compiles to dist what is needed, only if something has changed: the program alone, or with its tests.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, progress, root, SetupProblem } from './project.mjs';

const folders = ['src', 'test', 'bench'];
// Two, so that a mistake in a test keeps nobody from starting the gateway.
const program = { project: 'tsconfig.build.json', folders: ['src', 'bench'], stamp: 'dist/.program' };
const everything = { project: 'tsconfig.json', folders, stamp: 'dist/.everything' };

/**
 * Builds with `node`, the path of a Node binary; the tests only if asked to. Throws a SetupProblem with the compiler's
 * messages.
 */
export async function build(node, { tests = false } = {}) {
  const wanted = tests ? everything : program;
  const stampFile = join(root, wanted.stamp);
  const stamp = sourcesStamp(wanted);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  progress('building');
  rmSync(stampFile, { force: true });
  removeOrphans();
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { code, output } = await capture(node, [
    compiler,
    '-p',
    wanted.project,
    '--noEmitOnError',
    '--pretty',
    'false',
  ]);
  if (code !== 0) throw new SetupProblem(`the build failed:\n${output.trim()}`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** All `.ts` files of the project, relative to it, sorted. */
export function sourceFiles() {
  return sourcesIn(folders);
}

function sourcesIn(some) {
  return some.flatMap((folder) => listFiles(folder).filter((file) => file.endsWith('.ts'))).sort();
}

// Names, sizes and dates of all sources in one line: a removed file must count as a change too.
function sourcesStamp(wanted) {
  const hash = createHash('sha256');
  const projects = ['tsconfig.json', 'tsconfig.build.json'];
  for (const file of [...sourcesIn(wanted.folders), ...projects, 'package-lock.json', 'scripts/envoy.json']) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

// tsc leaves the output of removed sources behind, where an import would still find it.
function removeOrphans() {
  for (const file of folders.flatMap((folder) => listFiles(join('dist', folder)))) {
    const source = file.slice('dist/'.length).replace(/\.js(\.map)?$/, '.ts');
    if (source.endsWith('.ts') && !existsSync(join(root, source))) rmSync(join(root, file));
  }
}

function listFiles(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1));
}
